// Runs the page's script against the least document it needs and prints the
// charts it draws, one per line: title, series, points. Reads {data, script}
// from standard input.
"use strict";
const { data, script } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const element = (dataset) => ({
  dataset, children: [], clientWidth: 800, textContent: "", className: "",
  append(child) { child.parent = this; this.children.push(child); },
});
const runs = JSON.parse(data);
const boxes = (kind) => runs.map((_, i) => ({ ...element({ run: String(i) }), kind }));
const charts = boxes("charts"), gauges = boxes("gauges");
globalThis.document = {
  documentElement: {},
  getElementById: () => ({ textContent: data }),
  querySelectorAll: (q) => q === ".charts" ? charts : gauges,
  createElement: () => element({}),
};
globalThis.getComputedStyle = () => ({ getPropertyValue: (name) => " " + name });
globalThis.devicePixelRatio = 1;
globalThis.ResizeObserver = class { constructor(f) { this.f = f; } observe() { this.f(); } };
const calls = [];
const ctx = new Proxy({}, { get: (_, k) => (...args) => { if (args.some((a) => typeof a === "number" && Number.isNaN(a))) throw new Error(k + " of NaN"); calls.push(k); }, set: () => true });
globalThis.uPlot = class {
  constructor(opts, values, box) {
    if (opts.series.length !== values.length) throw new Error("series without values");
    for (const v of values) if (v.length !== values[0].length) throw new Error("values of another length");
    this.ctx = ctx;
    this.bbox = { left: 0, top: 0, width: 800, height: 200 };
    const top = Math.max(...values.slice(1).flat().filter((v) => v != null));
    this.valToPos = (v, scale) => scale === "x" ? v * 10 : 200 - 200 * v / (top * 1.08);
    calls.length = 0;
    for (const hooks of Object.values(opts.hooks)) for (const hook of hooks) hook(this);
    const last = values[0].length - 1;
    const shown = opts.series.map((s, i) => s.label + "=" + s.value(this, values[i][last]));
    const ticks = opts.axes.map((a) => a.values(this, [0, 90, 1234.5]).join(","));
    console.log([box.children[0].textContent, values[0].length + " points", shown.join(" "), "axes " + ticks.join(" | "), "limit " + calls.includes("stroke")].join("; "));
  }
  setSize() {}
};
new Function(script)();
