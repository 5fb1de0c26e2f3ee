// Filters by address: #surprises, #test=STEM, #kernel=SERIES, #configuration=NAME; the last three can be joined by &.
// Any other address shows everything. Filtered elements are only hidden, so printing and searching see what the reader sees.
(() => {
  const bar = document.getElementById("filter");

  function address() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // a hand-typed, malformed escape
    }
  }

  function wanted() {
    const words = address().split("&");
    const value = (name) => words.find((word) => word.startsWith(name + "="))?.slice(name.length + 1);
    return {
      surprises: words.includes("surprises"),
      test: value("test"),
      kernel: value("kernel"),
      configuration: value("configuration"),
    };
  }

  function filter() {
    const want = wanted();
    const filtered = want.surprises || want.test || want.kernel || want.configuration;
    for (const element of document.querySelectorAll("[data-test], [data-kernel], [data-configuration]")) {
      const { test, kernel, configuration } = element.dataset;
      element.hidden =
        (want.test && test && !test.split(" ").includes(want.test)) ||
        (want.kernel && kernel && kernel !== want.kernel) ||
        (want.configuration && configuration && configuration !== want.configuration) ||
        (want.surprises && element.matches("tr") && !("surprise" in element.dataset));
    }
    bar.hidden = !filtered;
    if (!filtered) return;
    const rows = [...document.querySelectorAll("table tr[data-test]")];
    const shown = rows.filter((row) => !row.closest("[hidden]")).length;
    const only = [want.surprises && "with surprises", want.test, want.kernel && "on " + want.kernel].filter(Boolean);
    if (want.configuration) only.push("under " + want.configuration);
    bar.textContent = `Only ${only.join(" ")}: ${shown} of ${rows.length} rows. `;
    const all = document.createElement("a");
    all.href = "#table";
    all.textContent = "Show everything";
    bar.append(all);
    if (want.test) document.getElementById("about-" + want.test)?.setAttribute("open", "");
    if (want.test || want.kernel || want.configuration) document.getElementById("table").scrollIntoView();
  }

  // A link into a folded section unfolds it.
  function unfold() {
    const target = document.getElementById(address());
    if (target?.matches("details")) target.open = true;
  }

  function go() {
    filter();
    unfold();
  }
  addEventListener("hashchange", go);
  go();
})();
