// What this browser prefers; a year long.

const A_YEAR_S = 31_536_000;

export function keep(name, value) {
  document.cookie = `${name}=${value}; Path=/; Max-Age=${A_YEAR_S}; SameSite=Lax`;
}

export function kept(name) {
  return document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}
