"use strict";
// Makes the page's drawings interactive: charts of a run share one cursor and one
// zoom, tables sort by the column that is pressed. Without it every figure is there.
(() => {
  const runs = JSON.parse(document.getElementById("data").textContent);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue("--" + name).trim();
  const make = (tag, props = {}) => Object.assign(document.createElement(tag), props);

  const clock = (x) => { const s = Math.round(x); return Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0"); };
  const short = (v) => v >= 1000 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(3)));
  const inUnit = (unit) => (v) => v == null ? "–" : unit === "ms" ? (v >= 1000 ? short(v / 1000) + "s" : short(v) + "ms") : short(v) + (unit === "MiB" ? " MiB" : unit);

  // The judged phases stand out, and every phase has its name where it begins.
  const phases = (run) => (u) => {
    const ctx = u.ctx, { left, top, width, height } = u.bbox, ratio = devicePixelRatio;
    ctx.save();
    ctx.font = 11 * ratio + "px system-ui, sans-serif";
    for (const p of run.phases) {
      const from = Math.max(u.valToPos(p.from, "x", true), left), to = Math.min(u.valToPos(p.to, "x", true), left + width);
      if (to <= from) continue;
      if (p.judged) {
        ctx.fillStyle = color("judged");
        ctx.fillRect(from, top, to - from, height);
      }
      ctx.fillStyle = color("faint");
      if (to - from > ctx.measureText(p.name).width + 4 * ratio) ctx.fillText(p.name, from + 3 * ratio, top - 4 * ratio);
    }
    ctx.restore();
  };

  // The target's limit is a line across the chart, when it lies in sight.
  const limit = (value) => (u) => {
    const y = u.valToPos(value, "y", true), { left, top, width, height } = u.bbox;
    if (!(y >= top && y <= top + height)) return;
    const ctx = u.ctx;
    ctx.save();
    ctx.strokeStyle = color("fail");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([7, 4].map((n) => n * devicePixelRatio));
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.restore();
  };

  // A box beside the cursor names the time, the phase and every line's value.
  const tip = (run, panel) => {
    const box = make("div", { className: "tip", hidden: true }), format = inUnit(panel.unit);
    return {
      hooks: {
        init: (u) => u.over.append(box),
        setCursor: (u) => {
          const i = u.cursor.idx, hovered = u.over.matches(":hover");
          box.hidden = i == null || !hovered;
          if (box.hidden) return;
          const at = u.data[0][i], phase = run.phases.find((p) => at >= p.from && at < p.to);
          box.replaceChildren(make("div", { textContent: clock(at) + (phase ? " " + phase.name : "") }));
          panel.lines.forEach((l, n) => {
            if (!u.series[n + 1].show) return;
            const row = make("div", { textContent: l.name + " " });
            row.append(make("b", { textContent: format(u.data[n + 1][i]) }));
            box.append(row);
          });
          const left = u.cursor.left;
          box.hidden = false;
          const x = left + 14 + box.offsetWidth > u.over.clientWidth ? left - 14 - box.offsetWidth : left + 14;
          box.style.left = Math.max(0, x) + "px";
          box.style.top = Math.max(0, Math.min(u.cursor.top, u.over.clientHeight - box.offsetHeight)) + "px";
        },
      },
    };
  };

  const plots = runs.map(() => []);

  // One zoom for all charts of a run; a button takes it back.
  const zoom = (index) => {
    let reset;
    return (u, key) => {
      if (key !== "x") return;
      const { min, max } = u.scales.x, xs = u.data[0];
      for (const other of plots[index]) {
        if (other.scales.x.min !== min || other.scales.x.max !== max) other.setScale("x", { min, max });
      }
      const zoomed = min > xs[0] || max < xs[xs.length - 1];
      if (zoomed && !reset) {
        reset = make("button", { className: "reset", type: "button", textContent: "show the whole run again" });
        reset.onclick = () => u.setScale("x", { min: xs[0], max: xs[xs.length - 1] });
        document.querySelector(`.panel[data-run="${index}"]`).before(reset);
      }
      if (!zoomed && reset) { reset.remove(); reset = undefined; }
    };
  };
  const zooms = runs.map((_, index) => zoom(index));

  const draw = (figure) => {
    const index = Number(figure.dataset.run), run = runs[index], panel = run.panels[figure.dataset.panel], into = figure.querySelector(".plot");
    if (!into.clientWidth || !run.x.length) return;
    const axis = { stroke: color("faint"), font: "11px system-ui, sans-serif", grid: { stroke: color("rule"), width: 1 }, ticks: { stroke: color("rule"), width: 1 } };
    const format = inUnit(panel.unit), size = () => ({ width: into.clientWidth, height: into.clientHeight });
    const highest = (max) => panel.limit != null && panel.limit < 4 * max ? Math.max(max, panel.limit) : max;
    const plot = new uPlot({
      ...size(), legend: { show: false }, padding: [18, 16, 0, 0],
      scales: { x: { time: false }, y: { range: (u, min, max) => [0, max > 0 ? highest(max) * 1.08 : 1] } },
      axes: [
        { ...axis, size: 28, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200], values: (u, vs) => vs.map(clock) },
        { ...axis, size: 62, values: (u, vs) => vs.map(format) },
      ],
      series: [{}, ...panel.lines.map((l) => ({
        label: l.name, stroke: color("c" + l.color), width: 1.8, dash: l.dash ? [5, 4] : undefined, points: { show: run.x.length < 40, size: 4 },
      }))],
      cursor: { sync: { key: "run-" + index }, drag: { x: true, y: false }, points: { size: 6 } },
      plugins: [tip(run, panel)],
      hooks: { drawClear: [phases(run)], draw: panel.limit == null ? [] : [limit(panel.limit)], setScale: [zooms[index]] },
    }, [run.x, ...panel.lines.map((l) => l.values)], into);
    plots[index].push(plot);
    figure.classList.add("drawn");
    new ResizeObserver(() => { const s = size(); if (s.width && s.height) plot.setSize(s); }).observe(into);
    figure.querySelectorAll(".key li").forEach((item, n) => {
      if (n >= panel.lines.length || panel.lines.length < 2) return;
      const button = make("button", { type: "button" });
      button.setAttribute("aria-pressed", "true");
      button.append(...item.childNodes);
      button.onclick = () => {
        const show = !plot.series[n + 1].show;
        plot.setSeries(n + 1, { show });
        button.setAttribute("aria-pressed", String(show));
      };
      item.append(button);
    });
  };
  document.querySelectorAll(".panel[data-run]").forEach(draw);

  // A cell's value: durations in seconds, shares and counts as numbers.
  const factor = { h: 3600, m: 60, s: 1, ms: 1e-3, "µs": 1e-6 };
  const value = (text) => {
    const times = [...text.matchAll(/([\d.,]+)(ms|µs|h|m|s)(?![a-z])/g)];
    if (times.length) return times.reduce((sum, t) => sum + Number(t[1].replaceAll(",", "")) * factor[t[2]], 0);
    const n = parseFloat(text.replaceAll(",", "").replace("+", ""));
    return Number.isNaN(n) ? null : n;
  };
  for (const table of document.querySelectorAll("table.grid")) {
    const body = table.tBodies[0], first = [...body.rows];
    if (first.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (!head.textContent) return;
      const button = make("button", { type: "button", textContent: head.textContent });
      head.replaceChildren(button);
      button.onclick = () => {
        const now = head.getAttribute("aria-sort"), down = head.classList.contains("num") ? now !== "descending" : now === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => head.classList.contains("num") ? value(row.cells[column].textContent) : row.cells[column].textContent;
        const rows = first.map((row) => [key(row), row]);
        rows.sort(([a], [b]) => a === b ? 0 : a == null ? 1 : b == null ? -1 : (a < b ? -1 : 1) * (down ? -1 : 1));
        body.append(...rows.map(([, row]) => row));
      };
    });
  }
})();
