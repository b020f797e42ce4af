"use strict";
{
  const $ = (id) => document.getElementById(id);
  const index = JSON.parse($("index").textContent);
  const splits = Object.keys(index.splits);
  const rows = index.rows;
  const numbers = rows.map((_, number) => number);

  const score = (value) => value.toFixed(2);
  const share = (value) => `${Math.round(100 * value)}\u00a0%`;
  const words = (value) => `${Math.round(value)}`;
  // `good`: whether more of it is better; undefined where neither more nor less is.
  const METRICS = {
    rougeLsum: { name: "ROUGE-Lsum", short: "ROUGE", good: true, say: score },
    bertscore: { name: "BERTScore", short: "BERTScore", good: true, say: score },
    fact_f1: { name: "Fact F1", short: "Fact F1", good: true, say: score },
    unsupported: { name: "Facts not in the bill", short: "Not in bill", good: false, say: share },
    rep_4: { name: "Repeated (rep-4)", short: "Repeated", good: false, say: share },
    longest_copy: { name: "Longest copied run, words", short: "Longest copy", say: words },
    blank: { name: "Blank", short: "Blank", good: false, say: share },
    recalled: { name: "Reference’s facts found", say: share },
    coverage: { name: "Copied share (coverage)", say: share },
    length_ratio: { name: "Length against the reference", say: score },
  };
  const COLUMNS = ["rougeLsum", "bertscore", "fact_f1", "unsupported", "rep_4", "blank"];
  const CARD = ["rougeLsum", "bertscore", "fact_f1", "unsupported", "rep_4", "longest_copy"];
  const SORTS = {
    order: { name: "order in the corpus", down: false },
    disagreement: { name: "disagreement of the rows", down: true },
    mean: { name: "mean of the rows", down: false },
  };

  // ---- What is shown: all of it is in the address.

  const state = {};

  /** The state that an address says; what it does not say or says wrongly is as at first. */
  function fromHash() {
    const given = new URLSearchParams(location.hash.slice(1));
    const one = (key, allowed, otherwise) =>
      allowed.includes(given.get(key)) ? given.get(key) : otherwise;
    const paths = rows.map((row) => row.path);
    const split = one("split", splits, splits.at(-1));
    const sort = one("sort", [...Object.keys(SORTS), ...paths], "order");
    const chosen = given.get("rows")?.split(",");
    return {
      split,
      sort,
      down: one("dir", ["up", "down"], downAtFirst(sort) ? "down" : "up") === "down",
      metric: one("metric", Object.keys(METRICS), "fact_f1"),
      rows: chosen ? numbers.filter((number) => chosen.includes(paths[number])) : numbers,
      row: paths.indexOf(given.get("row")),
      search: (given.get("q") ?? "").slice(0, 200),
      bill: index.splits[split].ids.indexOf(given.get("bill")),
    };
  }

  function toHash() {
    const said = { split: state.split, bill: index.splits[state.split].ids[state.bill] };
    if (state.rows.length < rows.length) {
      said.rows = state.rows.map((number) => rows[number].path).join(",");
    }
    if (state.row >= 0) said.row = rows[state.row].path;
    if (state.metric !== "fact_f1") said.metric = state.metric;
    if (state.sort !== "order") said.sort = state.sort;
    if (state.down !== downAtFirst(state.sort)) said.dir = state.down ? "down" : "up";
    if (state.search) said.q = state.search;
    const parts = Object.entries(said).filter(([, value]) => value !== undefined);
    const hash = parts.map(([key, value]) => `${key}=${encoded(value)}`).join("&");
    // Steps through bills are no steps of the browser's history.
    if (location.hash.slice(1) !== hash) history.replaceState(null, "", `#${hash}`);
  }

  const encoded = (value) => encodeURIComponent(value).replaceAll("%2F", "/").replaceAll("%2C", ",");
  const downAtFirst = (sort) => SORTS[sort]?.down ?? false;

  /** Change the state and show it: all of it, or the bill alone where only that changed. */
  function update(changes) {
    Object.assign(state, changes);
    const onlyBill = Object.keys(changes).every((key) => key === "bill" || key === "row");
    if (!onlyBill) {
      listed = ordered();
      if (!listed.includes(state.bill)) state.bill = listed[0];
      showControls();
      showOverview();
      showList();
    }
    toHash();
    showBill();
  }

  // ---- Data

  const lines = {};

  /** The texts of a bill of the split, and its spans; a bill is parsed when it is first asked for. */
  function textsOf(bill) {
    const of = (lines[state.split] ??= $(`texts-${state.split}`).textContent.split("\n"));
    if (typeof of[bill] === "string") of[bill] = JSON.parse(of[bill]);
    return of[bill];
  }

  const scoresOf = (row) => index.splits[state.split].scores[row];
  const there = (values) => values.filter((value) => value !== null);

  function mean(values) {
    const known = there(values);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  }

  /** The shown rows' values of the chosen metric for a bill, without those that have none. */
  const valuesOf = (bill) => there(state.rows.map((row) => scoresOf(row)[state.metric][bill]));

  function sortKey(bill) {
    if (state.sort === "order") return bill;
    const row = rows.findIndex((other) => other.path === state.sort);
    if (row >= 0) return scoresOf(row)[state.metric][bill];
    const values = valuesOf(bill);
    if (!values.length) return null;
    return state.sort === "mean" ? mean(values) : Math.max(...values) - Math.min(...values);
  }

  /** A pattern for the search's words: in any case, between them any white space. */
  function pattern(flags) {
    const literal = state.search.trim().replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    return literal && new RegExp(literal.replace(/\s+/g, "\\s+"), flags);
  }

  /** The bills that the search finds, by number, in the chosen order; those without a value last. */
  function ordered() {
    const { ids, titles } = index.splits[state.split];
    const wanted = pattern("iu");
    const found = (bill) => {
      const { source, reference, rows: of } = textsOf(bill);
      const outputs = state.rows.map((row) => of[row].prediction);
      return [ids[bill], titles[bill], reference, ...outputs, source].some((text) =>
        wanted.test(text),
      );
    };
    const bills = ids.map((_, bill) => bill).filter((bill) => !wanted || found(bill));
    const keys = new Map(bills.map((bill) => [bill, sortKey(bill)]));
    const way = state.down ? -1 : 1;
    return bills.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      if (a === null || b === null) return (a === null) - (b === null) || one - other;
      return way * (a - b) || one - other;
    });
  }

  let listed = [];

  // ---- Parts. Texts get into the page as text alone, here and in `marked`.

  function make(tag, properties = {}, ...children) {
    const { data = {}, aria = {}, ...others } = properties;
    const node = Object.assign(document.createElement(tag), others);
    Object.assign(node.dataset, data);
    for (const [key, value] of Object.entries(aria)) node.setAttribute(`aria-${key}`, value);
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  /** A bar of a share of 0 to 1, striped where less of it is better. */
  function bar(value, good) {
    const fill = make("i");
    fill.style.width = `${100 * Math.min(1, Math.max(0, value ?? 0))}%`;
    const kind = good === undefined ? "even" : good ? "good" : "bad";
    return make("span", { className: `bar ${kind}`, aria: { hidden: true } }, fill);
  }

  /** A text with its marks; `layers` are [class, spans, what a span's title says]. */
  function marked(text, layers) {
    const cuts = new Set([0, text.length]);
    for (const [, spans] of layers) for (const [start, end] of spans) cuts.add(start).add(end);
    const places = [...cuts].sort((one, other) => one - other);
    const whole = document.createDocumentFragment();
    places.slice(1).forEach((end, number) => {
      const start = places[number];
      const piece = text.slice(start, end);
      const on = layers.flatMap(([kind, spans, title]) => {
        const span = spans.find((other) => other[0] <= start && end <= other[1]);
        return span ? [[kind, title(span)]] : [];
      });
      if (!on.length) return whole.append(piece);
      const className = on.map(([kind]) => kind).join(" ");
      whole.append(make("mark", { className, title: on.map(([, title]) => title).join("; ") }, piece));
    });
    return whole;
  }

  const COPIED = ([, , count]) => `copied from the bill, ${count} words in a row`;

  /** Where the words of a copied run first stand in a text, whatever is between them. */
  function place(run, text) {
    const found = run.match(/[\p{L}\p{N}]+/gu);
    if (!found) return [];
    const between = "[^\\p{L}\\p{N}]+";
    const whole = `(?<![\\p{L}\\p{N}])${found.join(between)}(?![\\p{L}\\p{N}])`;
    const match = new RegExp(whole, "iu").exec(text);
    return match ? [[match.index, match.index + match[0].length, found.length]] : [];
  }

  // ---- Controls

  function showControls() {
    for (const input of $("splits").querySelectorAll("input")) {
      input.checked = input.value === state.split;
    }
    $("metric").value = state.metric;
    $("sort").value = state.sort;
    $("direction").textContent = state.down ? "↓ highest first" : "↑ lowest first";
    $("direction").hidden = state.sort === "order";
    // Not while it is typed in: the caret would jump.
    if ($("search").value.trim() !== state.search) $("search").value = state.search;
    for (const box of $("facets").querySelectorAll("input")) {
      const of = rowsOf(box);
      const on = of.filter((row) => state.rows.includes(row)).length;
      box.checked = on === of.length;
      box.indeterminate = on > 0 && on < of.length;
    }
  }

  const rowsOf = (box) =>
    numbers.filter((number) => rows[number][box.dataset.facet] === box.value);

  /** Show these rows too, or no longer. */
  function choose(of, on) {
    update({
      rows: numbers.filter((row) => (of.includes(row) ? on : state.rows.includes(row))),
    });
  }

  function makeControls() {
    $("about").textContent = [index.preset, index.note].filter(Boolean).join(" · ");
    document.title = `Reading the outputs: ${index.preset}`;
    for (const split of splits) {
      const input = make("input", { type: "radio", name: "split", value: split });
      $("splits").append(make("label", {}, input, make("span", {}, split)));
    }
    const option = ([value, { name }]) => make("option", { value }, name);
    $("metric").append(...Object.entries(METRICS).map(option));
    const each = make("optgroup", { label: "the score of" });
    each.append(...rows.map((row) => option([row.path, row])));
    $("sort").append(...Object.entries(SORTS).map(option), each);

    for (const [facet, name] of [["model", "Model"], ["finetuning", "Fine-tuning"], ["pruner", "Pruner"]]) {
      const values = [...new Set(rows.map((row) => row[facet]))];
      const boxes = values.map((value) =>
        make("label", {}, make("input", { type: "checkbox", value, data: { facet } }), value),
      );
      $("facets").append(make("fieldset", {}, make("legend", {}, name), ...boxes));
    }
    const cells = COLUMNS.map((key) =>
      make("th", { scope: "col", className: key, title: METRICS[key].name }, METRICS[key].short),
    );
    const button = (text, of) =>
      make("button", { type: "button", onclick: () => update({ rows: of }) }, text);
    const first = make("th", { scope: "col" }, "Row ", button("All", numbers), button("None", []));
    const last = make("th", { scope: "col", className: "why" }, "What stands out");
    $("overview").querySelector("thead").append(make("tr", {}, first, ...cells, last));
  }

  // ---- Overview

  /**
   * In plain words what is wrong with a row's outputs over the split, the worst first: [words,
   * whether it is grave]. A finding is reported from its first limit on, and is grave from its second.
   */
  function findings(row) {
    const of = (key) => mean(scoresOf(row)[key]) ?? 0;
    const missed = mean(scoresOf(row).recalled.map((value) => (value === null ? null : 1 - value)));
    const [words4, begin] = index.splits[state.split].openings[row] ?? ["", 0];
    const all = [
      [of("blank"), 0.05, 0.25, (value) => `${share(value)} blank`],
      [begin, 0.3, 0.5, (value) => `${share(value)} begin “${words4} …”`],
      [of("unsupported"), 0.1, 0.4, (value) => `invents ${share(value)} of facts`],
      [of("rep_4"), 0.1, 0.3, (value) => `${share(value)} repeated`],
      [of("cut_off"), 0.1, 0.5, (value) => `${share(value)} cut off at the limit`],
      [of("longest_copy"), 20, 40, (value) => `copies ${words(value)} words in a row`],
      [missed, 0.3, 0.6, (value) => `misses ${share(value)} of facts`],
      [of("length_ratio"), 1.5, 2.5, (value) => `${value.toFixed(1)} × as long as the reference`],
    ];
    const found = all.filter(([value, from]) => value !== null && value >= from);
    const said = found.map(([value, , from, say]) => [say(value), value >= from]);
    return [...said.filter(([, grave]) => grave), ...said.filter(([, grave]) => !grave)];
  }

  function showOverview() {
    const { ids } = index.splits[state.split];
    $("overview-of").textContent = `means over the ${ids.length} bills of ${state.split}`;
    const lines = numbers.flatMap((row) => {
      const { name, model } = rows[row];
      const on = state.rows.includes(row);
      const box = make("input", {
        type: "checkbox",
        checked: on,
        onchange: () => choose([row], box.checked),
        aria: { label: `Show ${name}` },
      });
      const go = make("button", { type: "button", onclick: () => visit(row), title: "Go to its output" });
      go.append(make("span", { className: "quiet" }, model), name.slice(model.length));
      const cells = COLUMNS.map((key) => {
        const { say, good, short } = METRICS[key];
        const value = mean(scoresOf(row)[key]);
        const said = make("span", { className: value ? "" : "zero" }, value === null ? "–" : say(value));
        return make("td", { className: key, data: { name: short } }, bar(value, good), said);
      });
      const all = findings(row);
      const why = make("td", { className: "why", title: all.map(([said]) => said).join("; ") });
      all.slice(0, 2).forEach(([said, grave], number) => {
        why.append(number ? " · " : "", make(grave ? "strong" : "span", {}, said));
      });
      if (!all.length) why.append("nothing");
      const head = make("th", { scope: "row" }, box, go);
      const line = make("tr", { className: on ? "" : "off", data: { row } }, head, ...cells, why);
      if (model === rows[row - 1]?.model) return [line];
      const group = make("th", { scope: "rowgroup", colSpan: COLUMNS.length + 2 }, model);
      return [make("tr", { className: "model" }, group), line];
    });
    $("overview").querySelector("tbody").replaceChildren(...lines);
  }

  /** Go to a row's card: show it if it was not, and keep its marks. */
  function visit(row) {
    update({ row, rows: numbers.filter((other) => other === row || state.rows.includes(other)) });
    $("cards").querySelector(`[data-row="${row}"]`)?.scrollIntoView({ block: "center" });
  }

  // ---- The list of bills

  function showList() {
    const { ids, titles } = index.splits[state.split];
    const { say, name } = METRICS[state.metric];
    const all = listed.map(valuesOf);
    const most = Math.max(1, ...all.flat());
    const items = listed.map((bill, number) => {
      const values = all[number];
      const range = make("span", { className: "range", aria: { hidden: true } });
      let said = "–";
      if (values.length) {
        const [low, high] = [Math.min(...values), Math.max(...values)];
        const [reach, middle] = [make("i"), make("b")];
        reach.style.left = `${(100 * low) / most}%`;
        reach.style.width = `${(100 * (high - low)) / most}%`;
        middle.style.left = `${(100 * mean(values)) / most}%`;
        range.append(reach, middle);
        range.title = `${name} of the shown rows: ${say(low)} to ${say(high)}`;
        said = say(mean(values));
      }
      const top = make("span", {}, make("b", {}, ids[bill]), make("span", { className: "value" }, said));
      const button = make("button", { type: "button", data: { bill } }, top, range, titles[bill]);
      return make("li", {}, button);
    });
    if (!items.length) items.push(make("li", { className: "none" }, "No bill with these words."));
    $("bills").replaceChildren(...items);
    $("count").textContent =
      `${listed.length} of ${ids.length} bills · ${name}: mean and range of the shown rows`;
  }

  // ---- A bill

  /** What is to be said of an output, in plain words: [class, words]. */
  function badges(row, bill) {
    const of = (key) => scoresOf(row)[key][bill];
    if (of("blank")) return [["bad", "blank: nothing was written"]];
    const [facts, wanted] = [of("facts"), of("reference_facts")];
    const wrong = Math.round(facts * of("unsupported"));
    const found = Math.round(wanted * of("recalled"));
    const are = wrong === 1 ? "is" : "are";
    const [begin, often] = index.splits[state.split].openings[row] ?? ["", 0];
    const text = textsOf(bill).rows[row].prediction;
    return [
      often && text.split(/\s+/).join(" ").trim().startsWith(begin) && [
        often >= 0.5 ? "bad" : "",
        `begins “${begin} …”, as ${share(often)} of this row’s outputs`,
      ],
      of("cut_off") && ["bad", "cut off at the limit"],
      wrong > 0 && ["bad", `${wrong} of ${facts} facts ${are} not in the bill`],
      of("rep_4") >= 0.1 && ["bad", `${share(of("rep_4"))} repeated`],
      of("length_ratio") >= 2 && ["bad", `${of("length_ratio").toFixed(1)} × as long as the reference`],
      wanted > 0 && [
        found === wanted ? "fine" : found ? "" : "bad",
        `finds ${found || "none"} of the reference’s ${wanted} facts`,
      ],
      of("longest_copy") >= 8 && ["", `copies ${of("longest_copy")} words in a row`],
    ].filter(Boolean);
  }

  function card(row, bill) {
    const { prediction, copied, repeated, unsupported } = textsOf(bill).rows[row];
    const { name, model } = rows[row];
    const title = make("button", {
      type: "button",
      title: "Keep this row's marks in reference and bill",
      onclick: () => update({ row: state.row === row ? -1 : row }),
      aria: { pressed: state.row === row },
    });
    title.append(make("span", {}, model), name.slice(model.length));
    const said = badges(row, bill).map(([kind, words]) => make("li", { className: kind }, words));
    const body = make("div", { className: "text" });
    if (prediction.trim()) {
      body.append(
        marked(prediction, [
          ["copied", copied, COPIED],
          ["repeated", repeated, () => "repeated"],
          ["unsupported", unsupported, () => "not in the bill"],
        ]),
      );
    } else {
      body.classList.add("blank");
      body.append("(blank)");
    }
    const scores = CARD.map((key) => {
      const { name: of, short, say, good } = METRICS[key];
      const value = scoresOf(row)[key][bill];
      const figure = value === null ? "–" : say(value);
      const line = key === "longest_copy" ? null : bar(value, good);
      return make("div", { title: of }, make("dt", {}, short), make("dd", {}, line, figure));
    });
    return make(
      "article",
      { data: { row }, aria: { label: name } },
      make("h3", {}, title),
      make("ul", { className: "badges" }, ...said),
      body,
      make("dl", {}, ...scores),
    );
  }

  function showBill() {
    for (const button of $("bills").querySelectorAll("button")) {
      const current = Number(button.dataset.bill) === state.bill;
      button.tabIndex = current ? 0 : -1;
      if (current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    $("bill").hidden = state.bill === undefined;
    if (state.bill === undefined) return;
    const { ids, titles } = index.splits[state.split];
    const at = listed.indexOf(state.bill);
    $("title").textContent = titles[state.bill] || ids[state.bill];
    $("place").textContent = `${state.split}, ${ids[state.bill]} · ${at + 1} of ${listed.length}`;
    $("previous").disabled = at === 0;
    $("next").disabled = at === listed.length - 1;
    $("cards").replaceChildren(...state.rows.map((row) => card(row, state.bill)));
    $("cards").dataset.none = state.rows.length ? "" : "No row is shown: tick some above.";
    active = undefined;
    show(kept());
    // Last, since they ask for the layout, which all of the above changes.
    $("source").scrollTop = 0;
    reveal($("source").querySelector("mark"), $("source"));
    reveal($("bills").querySelector("[aria-current]"), $("bills"));
  }

  /** Scroll a list, and not the page, so that an item is seen. */
  function reveal(item, list) {
    if (!item) return;
    const [inner, outer] = [item.getBoundingClientRect(), list.getBoundingClientRect()];
    if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
    if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
  }

  // The row whose marks are in reference and bill.
  let active;

  /** The row to take while none is pointed at. */
  const kept = () => (state.rows.includes(state.row) ? state.row : state.rows[0]);

  /** Mark in the reference what a row found, and in the bill what it copied. */
  function show(row) {
    if (row === active && row !== undefined) return;
    active = row;
    const { source, reference, facts, rows: of } = textsOf(state.bill);
    const marks = { found: [], missed: [], copied: [] };
    if (row !== undefined) {
      const { recalled, copied, prediction } = of[row];
      facts.forEach((span, number) => {
        marks[recalled.includes(number) ? "found" : "missed"].push(span);
      });
      marks.copied = copied.flatMap(([start, end]) => place(prediction.slice(start, end), source));
    }
    const { name } = rows[row] ?? { name: "" };
    const cut = source.length >= index.longest ? `; its first ${index.longest} characters` : "";
    $("reference-of").textContent = row === undefined ? "" : `found or missed by ${name}`;
    $("source-of").textContent = (marks.copied.length ? `with what ${name} copied` : "") + cut;
    $("reference").replaceChildren(
      marked(reference, [
        ["found", marks.found, () => "found"],
        ["missed", marks.missed, () => "missed"],
      ]),
    );
    $("source").replaceChildren(marked(source, [["copied", marks.copied, COPIED]]));
    for (const one of $("cards").children) {
      one.classList.toggle("active", Number(one.dataset.row) === row);
    }
    highlight();
  }

  /** Paint what the search found, where the browser can. */
  function highlight() {
    if (!globalThis.Highlight) return;
    CSS.highlights.delete("search");
    const wanted = pattern("giu");
    if (!wanted) return;
    const walker = document.createTreeWalker($("bill"), NodeFilter.SHOW_TEXT);
    const ranges = [];
    while (walker.nextNode()) {
      for (const match of walker.currentNode.data.matchAll(wanted)) {
        const range = document.createRange();
        range.setStart(walker.currentNode, match.index);
        range.setEnd(walker.currentNode, match.index + match[0].length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("search", new Highlight(...ranges));
  }

  // ---- Acting

  function step(by) {
    const bill = listed[listed.indexOf(state.bill) + by];
    if (bill !== undefined) update({ bill });
  }

  function stepSplit(by) {
    const split = splits[splits.indexOf(state.split) + by];
    if (split) update({ split, bill: undefined });
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    "[": () => stepSplit(-1),
    "]": () => stepSplit(1),
    "/": () => $("search").select(),
    "?": () => $("help").showModal(),
  };

  function listen() {
    $("splits").onchange = (event) => update({ split: event.target.value, bill: undefined });
    // Another order begins at its first bill.
    const reorder = (changes) =>
      update({ ...changes, bill: state.sort === "order" && !changes.sort ? state.bill : undefined });
    $("metric").onchange = () => reorder({ metric: $("metric").value });
    $("sort").onchange = () =>
      reorder({ sort: $("sort").value, down: downAtFirst($("sort").value) });
    $("direction").onclick = () => reorder({ down: !state.down });
    $("search").oninput = () => update({ search: $("search").value.trim() });
    $("facets").onchange = (event) => choose(rowsOf(event.target), event.target.checked);
    $("bills").onclick = (event) => {
      const button = event.target.closest("button");
      if (button) update({ bill: Number(button.dataset.bill) });
    };
    $("previous").onclick = () => step(-1);
    $("next").onclick = () => step(1);
    $("help-open").onclick = () => $("help").showModal();

    const rowAt = (event) => event.target.closest("article")?.dataset.row;
    $("cards").onpointerover = $("cards").onfocusin = (event) => {
      const row = rowAt(event);
      if (row !== undefined) show(Number(row));
    };
    $("cards").onpointerleave = () => state.bill !== undefined && show(kept());

    document.onkeydown = (event) => {
      if (event.key === "Escape" && event.target === $("search")) {
        event.preventDefault(); // which would clear it
        $("search").blur();
      }
      if (event.target.matches?.("[type=search], select") || $("help").open) return;
      // Arrows choose among radio buttons.
      if (event.target.type === "radio" && event.key.startsWith("Arrow")) return;
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
      event.preventDefault();
      KEYS[event.key]();
    };
    addEventListener("hashchange", () => update(fromHash()));
  }

  makeControls();
  listen();
  update(fromHash());
}
