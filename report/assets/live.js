"use strict";
// Draws a run while it lasts, from the server-sent events of /events. The first
// event brings all that was before, so a page that comes late shows the whole run.
(() => {
  const $ = (id) => document.getElementById(id), make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const clock = (x) => { const s = Math.round(x); return Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0"); };
  const short = (v) => v == null ? "–" : String(Number(v.toPrecision(3)));
  const ms = (v) => v == null ? "–" : v >= 1000 ? short(v / 1000) + "s" : short(v) + "ms";

  const chart = (id, lines, format) => {
    const into = $(id), axis = { stroke: color("faint"), grid: { stroke: color("rule"), width: 1 }, ticks: { stroke: color("rule"), width: 1 } };
    const size = () => ({ width: into.clientWidth, height: into.clientHeight });
    const plot = new uPlot({
      ...size(), legend: { show: false }, padding: [12, 16, 0, 0],
      scales: { x: { time: false }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [{ ...axis, size: 28, values: (u, vs) => vs.map(clock) }, { ...axis, size: 62, values: (u, vs) => vs.map(format) }],
      series: [{}, ...lines.map((l) => ({ label: l[0], stroke: color(l[1]), width: 1.8 }))],
    }, [[], ...lines.map(() => [])], into);
    new ResizeObserver(() => { const s = size(); if (s.width) plot.setSize(s); }).observe(into);
    return plot;
  };
  const response = chart("response", [["p50", "c1"], ["p95", "c0"], ["p99", "c2"]], ms);
  const rate = chart("rate", [["served", "c3"], ["errors", "c5"]], (v) => short(v) + "/s");

  let seen = []; // of the scenario that runs
  const take = (e) => {
    if (seen.length && seen[seen.length - 1].scenario !== e.scenario) seen = [];
    if (seen.length && e.elapsed <= seen[seen.length - 1].elapsed) return;
    seen.push(e);
  };
  const show = () => {
    const e = seen[seen.length - 1];
    if (!e) return;
    document.title = e.scenario + " " + clock(e.elapsed) + " · vitals";
    $("title").textContent = e.scenario;
    $("where").textContent = clock(e.elapsed) + " of " + clock(e.total) + (e.phase ? ", " + e.phase : "");
    $("progress").value = e.total ? Math.min(1, e.elapsed / e.total) : 0;
    $("facts").replaceChildren(...e.facts.map(([name, words]) => { const li = make("li", ""); li.append(make("b", words), make("span", name)); return li; }));
    $("losing").replaceChildren(...(e.losing || []).map((words) => make("li", "losing: " + words)));
    const column = (name) => seen.map((e) => e[name]);
    response.setData([column("elapsed"), column("p50"), column("p95"), column("p99")]);
    rate.setData([column("elapsed"), column("served"), column("errors")]);
  };
  const source = new EventSource("events");
  source.addEventListener("history", (e) => { seen = []; JSON.parse(e.data).forEach(take); show(); });
  source.addEventListener("now", (e) => { take(JSON.parse(e.data)); show(); });
  source.addEventListener("end", (e) => {
    const end = JSON.parse(e.data);
    source.close();
    $("state").textContent = end.verdict;
    $("state").className = "badge " + end.class;
    $("head").className = end.class;
    $("title").textContent = end.headline;
    $("where").textContent = "The run has ended; its report is in the folder it was told.";
    document.title = end.verdict + " · vitals";
  });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) $("where").textContent = "The connection to the run was lost."; };
})();
