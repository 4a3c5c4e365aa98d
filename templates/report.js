// Extras. Every control is made here: without scripts nothing dead is shown.
"use strict";
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const on = (element, type, act) => element.addEventListener(type, act);
  const set = (element, attributes) => {
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const button = (textContent, act, className) => {
    const made = make("button", { type: "button", textContent, className });
    on(made, "click", () => act(made));
    return made;
  };
  const spoken = set(make("p", { className: "spoken" }), { role: "status", "aria-live": "polite" });
  document.body.append(spoken);
  const say = (text) => { spoken.textContent = text; };

  // Expand all, collapse all.
  const details = all("main details");
  const contents = document.querySelector("nav");
  if (details.length && contents) {
    const toggle = button("", () => {
      const open = !details.every((held) => held.open);
      details.forEach((held) => { held.open = open; });
      say(`All details are ${open ? "shown" : "hidden"}.`);
    }, "expand");
    const label = () => { toggle.textContent = details.every((held) => held.open) ? "Collapse all" : "Expand all"; };
    details.forEach((held) => on(held, "toggle", label));
    label();
    contents.append(toggle);
  }

  // Criteria by verdict.
  const criteria = document.getElementById("criteria");
  const counts = criteria && criteria.querySelector(".counts");
  const rows = criteria ? all("tbody tr[data-verdict]", criteria) : [];
  if (counts && new Set(rows.map((row) => row.dataset.verdict)).size > 1) {
    const press = (chosen) => filters.forEach((held) => set(held, { "aria-pressed": held === chosen }));
    const choose = (chosen) => {
      const shown = rows.filter((row) => {
        row.hidden = Boolean(chosen.value) && row.dataset.verdict !== chosen.value;
        return !row.hidden;
      });
      // A filter opens what it found in; without one they are again as the reader had them.
      all("details", criteria).forEach((held) => {
        const some = all("tr[data-verdict]", held).some((row) => !row.hidden);
        if (!filtered) held.dataset.open = held.open ? "yes" : "no";
        held.hidden = !some;
        held.open = chosen.value ? some : held.dataset.open === "yes";
      });
      filtered = Boolean(chosen.value);
      all(".criteria", criteria).forEach((table) => {
        table.hidden = all("tr[data-verdict]", table).every((row) => row.hidden);
      });
      press(chosen);
      say(`${shown.length} of ${rows.length} criteria are shown.`);
    };
    let filtered = false;
    const group = set(make("p", { className: "counts" }), { role: "group", "aria-label": "Show criteria by verdict" });
    const filters = [button(`${rows.length} all`, choose, "filter")];
    all(":scope > span", counts).forEach((span) => {
      const made = button("", choose, "filter");
      made.append(...span.childNodes);
      made.value = span.dataset.verdict;
      filters.push(made);
    });
    press(filters[0]);
    group.append(...filters);
    counts.replaceWith(group);
  }

  // Copy.
  const copied = (element) => {
    getSelection().selectAllChildren(element);
    const copy = async () => navigator.clipboard.writeText(element.textContent);
    return copy().then(() => true, () => document.execCommand("copy"));
  };
  all("[data-copy]").forEach((element) => {
    const what = element.dataset.copy;
    const made = button("Copy", async () => {
      const done = await copied(element);
      made.textContent = done ? "Copied" : "Selected";
      say(done ? `Copied: ${what}.` : `Selected: ${what}. Ctrl+C copies it.`);
      setTimeout(() => { made.textContent = "Copy"; }, 2000);
    }, "copy");
    element.after(" ", set(made, { "aria-label": `Copy ${what}` }));
  });

  // Read a figure's values with the pointer or the keys.
  const digits = (value) => Number(value.toPrecision(3)).toLocaleString("en");
  const clock = (at, spans) => {
    const [place, second] = spans.filter((span) => span[0] <= at + 1e-6).pop() || spans[0];
    const seconds = second + at - place;
    return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
  };
  const words = ([low, high, kind, unit], share) => {
    const at = kind === "log" ? low * (high / low) ** share : low + (high - low) * share;
    if (kind === "clock") return clock(at, unit);
    if (kind === "nth") return `${unit} ${digits(at)}`;
    if (kind === "share") return `p(${digits(100 - 100 * 10 ** -at)})`;
    if (kind === "ticks") return (unit.find(([place]) => Math.abs(place - at) < 0.5) || ["", ""])[1];
    if (unit === "s" && Math.abs(at) < 1) return `${digits(at * 1000)} ms`;
    return `${digits(at)} ${unit}`.trim();
  };
  const pairs = (text) => (text.match(/-?\d+(\.\d+)?/g) || []).map(Number);
  const places = (path) => path.getAttribute("d").split("M").slice(1).flatMap((piece) => {
    const read = pairs(piece.replace(/h0/g, ""));
    const found = [];
    for (let at = 0; at + 1 < read.length; at += 2) found.push([read[at], read[at + 1]]);
    if (path.dataset.marks === undefined || !found.length) return found;
    return [[0, 1].map((axis) => found.reduce((sum, point) => sum + point[axis], 0) / found.length)];
  });

  all(".drawing > svg[data-axes]").forEach((svg) => {
    const axes = JSON.parse(svg.dataset.axes);
    let series = null;
    const load = () => {
      series = series || all("[data-series]", svg).map((held) => {
        const box = axes[held.dataset.axes];
        const within = (at, low, high) => low - 1 <= at && at <= high + 1;
        const points = all("path[d]", held).flatMap(places)
          .filter(([x, y]) => within(x, box[0], box[2]) && within(y, box[1], box[3]))
          .sort((a, b) => a[0] - b[0]);
        return { name: held.dataset.series, box, points };
      }).filter((held) => held.points.length);
      return series;
    };
    const region = svg.parentElement;
    const note = set(make("div", { className: "readout", hidden: true }), { "aria-hidden": true });
    const ring = set(document.createElementNS(svg.namespaceURI, "circle"), { r: 5, fill: "none", stroke: "currentColor", "stroke-width": 1.5 });
    region.after(note);
    const hide = () => { note.hidden = true; ring.remove(); };
    const show = (held, [x, y]) => {
      const [left, top, right, bottom, across, up] = held.box;
      const at = [words(across, (x - left) / (right - left)), words(up, (bottom - y) / (bottom - top))];
      note.textContent = `${held.name}: ${at.filter(Boolean).join(", ")}`;
      svg.append(set(ring, { cx: x, cy: y }));
      note.hidden = false;
      return note.textContent;
    };
    on(svg, "pointermove", (event) => {
      const here = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let best = null;
      let least = 24 ** 2;
      load().forEach((held) => held.points.forEach((point) => {
        const far = (point[0] - here.x) ** 2 + (point[1] - here.y) ** 2;
        if (far < least) { least = far; best = [held, point]; }
      }));
      if (best) show(...best); else hide();
    });
    on(svg, "pointerleave", hide);
    let chosen = 0;
    let step = -1;
    set(region, { "aria-description": "Left and right arrows read the values, Enter the next series." });
    on(region, "keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Enter: 0 }[event.key];
      if (move === undefined || event.target !== region || !load().length) return;
      event.preventDefault();
      if (!move && step >= 0) { chosen = (chosen + 1) % series.length; step = -1; }
      const held = series[chosen];
      step = Math.min(Math.max(step + (move || 1), 0), held.points.length - 1);
      say(show(held, held.points[step]));
      ring.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    on(region, "blur", hide);
  });
})();
