// The map: Natural Earth's countries beneath, what the server has gathered for this view on top. Nothing is asked of
// anybody else: no tiles, no fonts, no pictures.

import { isDark } from "./theme.js";

const AGAIN_MS = 10_000;
const SHAPES = { critical: "◆", high: "▲", medium: "●", low: "▽", info: "○" };
const NONE = { type: "FeatureCollection", features: [] };

const place = document.getElementById("map");
start().catch(() => {
  place.textContent = "";
  const said = place.appendChild(Object.assign(document.createElement("div"), { className: "empty" }));
  said.textContent = "This browser cannot draw the map (it needs WebGL). The list below says the same.";
});

async function start() {
  await Promise.all(["maplibre-gl-csp.js", "topojson-client.min.js"].map(script));
  const { maplibregl, topojson } = window;
  maplibregl.setWorkerUrl(new URL("./vendor/maplibre-gl-csp-worker.js", import.meta.url).href);
  const topology = await (await fetch(place.dataset.world)).json();
  const world = {
    land: topojson.feature(topology, topology.objects.land ?? topology.objects.countries),
    borders: topojson.mesh(topology, topology.objects.countries, (one, other) => one !== other),
  };
  const bounds = JSON.parse(place.dataset.bounds);
  place.textContent = "";
  const map = new maplibregl.Map({
    container: place,
    style: style(world),
    bounds: bounds ?? [-170, -55, 170, 75],
    fitBoundsOptions: { padding: 60, maxZoom: 7 },
    attributionControl: { compact: false, customAttribution: "Made with Natural Earth" },
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    renderWorldCopies: true,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.getCanvas().setAttribute("aria-label", "Map");
  const pins = [];
  const look = () => show(map, pins);
  map.on("load", () => {
    look();
    place.dataset.drawn = "";
  });
  map.on("moveend", look);
  setInterval(() => document.hidden || look(), AGAIN_MS);
  const recolour = () => map.setStyle(style(world, map.getSource("sites")?.serialize().data, map.getSource("cells")?.serialize().data));
  document.addEventListener("themechange", recolour);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  for (const layer of ["sites", "cells"]) open(map, layer);
}

function script(name) {
  return new Promise((done, failed) => {
    const made = Object.assign(document.createElement("script"), { onload: done, onerror: failed });
    made.src = new URL(`./vendor/${name}`, import.meta.url);
    document.head.append(made);
  });
}

function style(world, sites = NONE, cells = NONE) {
  const size = ["interpolate", ["linear"], ["log10", ["get", "count"]], 0, 5, 2, 13, 5, 26];
  const fewer = ["interpolate", ["linear"], ["log10", ["get", "count"]], 0, 4, 2, 7, 5, 14];
  return {
    version: 8,
    sources: {
      land: { type: "geojson", data: world.land },
      borders: { type: "geojson", data: world.borders },
      sites: { type: "geojson", data: sites },
      cells: { type: "geojson", data: cells },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": colour("--sunken") } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": colour("--sheet") } },
      { id: "borders", type: "line", source: "borders", paint: { "line-color": colour("--strong-line"), "line-width": 0.8 } },
      { id: "coast", type: "line", source: "land", paint: { "line-color": colour("--strong-line"), "line-width": 0.6 } },
      { id: "cells", type: "circle", source: "cells", paint: {
        "circle-radius": fewer, "circle-opacity": 0, "circle-stroke-color": colour("--chart-1"), "circle-stroke-width": 2 } },
      { id: "sites", type: "circle", source: "sites", paint: {
        "circle-radius": size, "circle-color": colour("--chart-0"), "circle-opacity": isDark() ? 0.55 : 0.65,
        "circle-stroke-color": colour("--sheet"), "circle-stroke-width": 1 } },
    ],
  };
}

async function show(map, pins) {
  const bounds = map.getBounds();
  const query = new URLSearchParams({
    west: Math.max(bounds.getWest(), -540), south: Math.max(bounds.getSouth(), -90),
    east: Math.min(bounds.getEast(), 540), north: Math.min(bounds.getNorth(), 90), zoom: map.getZoom(),
  });
  const answer = await fetch(`/map/places?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const found = await answer.json();
  map.getSource("sites")?.setData(found.sites);
  map.getSource("cells")?.setData(found.cells);
  pins.splice(0).forEach((one) => one.remove());
  for (const feature of found.incidents?.features ?? []) pins.push(pin(map, feature));
}

// An incident, or several: a button, so that it can be reached by keyboard and read by ear.
function pin(map, { geometry, properties }) {
  const { count, severity, number, title } = properties;
  const button = document.createElement("button");
  button.type = "button";
  button.className = `pin severity-${severity}`;
  const said = count === 1 ? `Incident ${number}: ${title}` : `${count} subscriptions in incidents, the worst ${severity}`;
  button.append(`${SHAPES[severity] ?? "○"} ${count === 1 ? `#${number}` : count}`);
  button.title = said;
  const marker = new window.maplibregl.Marker({ element: button }).setLngLat(geometry.coordinates).addTo(map);
  button.setAttribute("aria-label", said); // after the marker has given it its own
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    if (count === 1) location.assign(`/incidents/${number}`);
    else map.easeTo({ center: geometry.coordinates, zoom: map.getZoom() + 2 });
  });
  return marker;
}

function open(map, layer) {
  map.on("click", layer, (event) => {
    const { geometry, properties } = event.features[0];
    if (properties.count > 1) {
      map.easeTo({ center: geometry.coordinates, zoom: map.getZoom() + 2 });
    } else if (properties.imsi) {
      const link = Object.assign(document.createElement("a"), { href: `/subscriptions/${properties.imsi}` });
      link.textContent = `Subscription ${properties.imsi}`;
      new window.maplibregl.Popup().setLngLat(geometry.coordinates).setDOMContent(link).addTo(map);
    }
  });
  map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
  map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
}

// What a token is in the present theme: only an element that has it says so.
function colour(name) {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
