"use strict";
// Draws the charts of every run from the data block. Times on the x axis are
// seconds from the run's start; gaps are slices in which nothing was served.
(() => {
  const runs = JSON.parse(document.getElementById("data").textContent);
  const css = getComputedStyle(document.documentElement);
  const color = (name) => css.getPropertyValue("--" + name).trim();
  const palette = ["c1", "c2", "c3", "c4", "c5", "c6"].map(color);

  const clock = (x) => { const s = Math.round(x); return Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0"); };
  const short = (v) => v == null ? "–" : v >= 100 ? Math.round(v).toLocaleString("en") : String(Math.round(v * 100) / 100);
  const ms = (v) => v == null ? "–" : v >= 1000 ? short(v / 1000) + "s" : short(v) + "ms";

  // The judged phases stand out, and every phase has its name where it begins.
  const phases = (run) => (u) => {
    const ctx = u.ctx, { left, top, width, height } = u.bbox, ratio = u.pxRatio || devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.font = 11 * ratio + "px system-ui, sans-serif";
    for (const p of run.phases) {
      const from = u.valToPos(p.from, "x", true), to = u.valToPos(p.to, "x", true);
      if (p.judged) {
        ctx.fillStyle = color("band");
        ctx.fillRect(from, top, to - from, height);
      }
      ctx.fillStyle = color("faint");
      ctx.fillText(p.name, Math.max(from, left) + 4 * ratio, top + 12 * ratio);
    }
    ctx.restore();
  };

  // The target's limit is a line across the chart, when it lies in sight.
  const limit = (value) => (u) => {
    const y = u.valToPos(value, "y", true), { left, top, width, height } = u.bbox;
    if (value == null || !(y >= top && y <= top + height)) return;
    const ctx = u.ctx;
    ctx.save();
    ctx.strokeStyle = color("fail");
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.restore();
  };

  const draw = (into, title, run, height, lines, format, options = {}) => {
    if (!lines.some((l) => l.values.some((v) => v != null))) return;
    const box = document.createElement("div");
    box.className = "chart";
    const head = document.createElement("h3");
    head.textContent = title;
    box.append(head);
    into.append(box);
    const axis = { stroke: color("faint"), grid: { stroke: color("rule"), width: 1 }, ticks: { stroke: color("rule"), width: 1 } };
    const right = lines.some((l) => l.right);
    const plot = new uPlot({
      width: Math.max(280, box.clientWidth), height,
      scales: { x: { time: false }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] }, r: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [
        { ...axis, values: (u, vs) => vs.map(clock) },
        { ...axis, size: 64, values: (u, vs) => vs.map(format) },
        ...(right ? [{ ...axis, side: 1, scale: "r", size: 56, grid: { show: false }, values: (u, vs) => vs.map(short) }] : []),
      ],
      series: [
        { label: "at", value: (u, v) => v == null ? "–" : clock(v) },
        ...lines.map((l, i) => ({
          label: l.label, scale: l.right ? "r" : "y", stroke: l.color || palette[i % palette.length], width: 1.5,
          fill: l.fill, points: { show: run.x.length < 40 }, value: (u, v) => l.right ? short(v) : format(v),
        })),
      ],
      cursor: { sync: { key: run.name } },
      hooks: { drawClear: [phases(run)], draw: options.limit == null ? [] : [limit(options.limit)] },
    }, [run.x, ...lines.map((l) => l.values)], box);
    new ResizeObserver(() => plot.setSize({ width: Math.max(280, box.clientWidth), height })).observe(box);
  };

  for (const into of document.querySelectorAll(".charts")) {
    const run = runs[into.dataset.run];
    if (run.x.length === 0) continue;
    draw(into, "response time of what was served, from the due time", run, 260, [
      { label: "p50", values: run.p50, color: palette[3] }, { label: "p95", values: run.p95, color: palette[0] }, { label: "p99", values: run.p99, color: palette[2] },
    ], ms, { limit: run.p95Limit });
    draw(into, "requests per second, and those that did not go as expected (right)", run, 200, [
      { label: "served", values: run.served, color: palette[3] }, { label: "refused", values: run.refused, color: palette[4] },
      { label: "errors", values: run.errors, color: color("fail"), right: true },
    ], short);
    draw(into, "p95 by step", run, 220, run.steps.map((s) => ({ label: s.name, values: s.values })), ms);
  }
  for (const into of document.querySelectorAll(".gauges")) {
    const run = runs[into.dataset.run];
    for (const g of run.gauges) draw(into, g.name, run, 150, [{ label: g.name, values: g.values }], short);
  }
})();
