// What can be said about accessibility without a person: an array of complaints.
(() => {
  const out = [], say = (node, what) => out.push(what + ": " + node.outerHTML.slice(0, 120));
  if (!document.documentElement.lang) out.push("the page has no language");
  if (!document.title) out.push("the page has no title");
  if (document.querySelectorAll("main").length !== 1) out.push("the page needs one main");
  if (document.querySelectorAll("h1").length !== 1) out.push("the page needs one h1");
  let level = 1;
  for (const h of document.querySelectorAll("h1,h2,h3,h4,h5,h6")) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) say(h, "a heading skips a level");
    if (!h.textContent.trim()) say(h, "a heading is empty");
    level = now;
  }
  const ids = new Set();
  for (const node of document.querySelectorAll("[id]")) {
    if (ids.has(node.id)) say(node, "an id is there twice");
    ids.add(node.id);
  }
  for (const node of document.querySelectorAll("[aria-labelledby]")) {
    if (!document.getElementById(node.getAttribute("aria-labelledby"))) say(node, "what should label it is missing");
  }
  for (const a of document.querySelectorAll("a[href^='#']")) {
    if (!document.getElementById(a.getAttribute("href").slice(1))) say(a, "a link leads nowhere");
  }
  for (const node of document.querySelectorAll("button, a, summary")) {
    if (!node.textContent.trim() && !node.getAttribute("aria-label")) say(node, "a control has no name");
  }
  for (const node of document.querySelectorAll("svg, img")) {
    const named = node.getAttribute("aria-label") || node.getAttribute("alt");
    if (!named && node.getAttribute("aria-hidden") !== "true") say(node, "a picture has no name");
  }
  for (const th of document.querySelectorAll("th")) if (!th.scope) say(th, "a header cell has no scope");
  for (const node of document.querySelectorAll("*")) {
    const style = getComputedStyle(node);
    const scrolls = node.scrollWidth > node.clientWidth + 1 && /auto|scroll/.test(style.overflowX) && node.clientWidth > 0;
    if (scrolls && node.tabIndex < 0 && !node.querySelector("a, button")) say(node, "a keyboard cannot scroll it");
  }
  // Contrast as WCAG 2 computes it, of every text that is shown.
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let n = node; n; n = n.parentElement) {
      const c = rgb(getComputedStyle(n).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = new Set();
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || seen.has(node) || /SCRIPT|STYLE/.test(node.tagName) || !node.getClientRects().length) continue;
    seen.add(node);
    const style = getComputedStyle(node), inSVG = node instanceof SVGElement;
    const a = luminance(rgb(inSVG ? style.fill : style.color)), b = luminance(behind(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) say(node, "contrast " + ratio.toFixed(2) + ", want 4.5");
    if (parseFloat(style.fontSize) < 11 && !inSVG) say(node, "text of " + style.fontSize);
  }
  return out;
})()
