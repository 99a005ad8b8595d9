// Install: codes on cards and devices are read by the camera where the browser can (BarcodeDetector), else typed; and
// the place where one stands is taken where it may be.

const EVERY_MS = 200;
const NUMBERS = { iccid: /(?<!\d)89\d{17,18}(?!\d)/, imei: /(?<!\d)\d{14,16}(?!\d)/ };
const FORMATS = ["code_128", "code_39", "data_matrix", "qr_code", "ean_13", "itf", "codabar"];

const dialog = document.getElementById("scan");
const video = dialog.querySelector("video");
const said = dialog.querySelector("[data-scanned]");

start();

async function start() {
  here();
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  const known = await BarcodeDetector.getSupportedFormats();
  const formats = FORMATS.filter((one) => known.includes(one));
  if (formats.length === 0) return;
  const detector = new BarcodeDetector({ formats });
  for (const button of document.querySelectorAll("[data-scan]")) {
    button.hidden = false;
    button.addEventListener("click", () => scan(detector, button.dataset.scan));
  }
}

async function scan(detector, name) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    document.getElementById(name).focus(); // no camera, or it may not be used: type it
    return;
  }
  said.textContent = "";
  video.srcObject = stream;
  dialog.showModal();
  await video.play();
  const looking = setInterval(async () => {
    for (const { rawValue } of await detector.detect(video).catch(() => [])) {
      const found = rawValue.match(NUMBERS[name])?.[0];
      if (found) {
        document.getElementById(name).value = found;
        dialog.close();
        return;
      }
      said.textContent = `${rawValue.slice(0, 40)} is not what is asked for.`;
    }
  }, EVERY_MS);
  dialog.addEventListener("close", () => {
    clearInterval(looking);
    for (const track of stream.getTracks()) track.stop();
    document.getElementById(name).focus();
  }, { once: true });
}

function here() {
  const button = document.querySelector("[data-here]");
  if (!("geolocation" in navigator) || !isSecureContext) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      document.getElementById("latitude").value = coords.latitude.toFixed(5);
      document.getElementById("longitude").value = coords.longitude.toFixed(5);
    }, () => (button.textContent = "Where this is cannot be told; type it"));
  });
}
