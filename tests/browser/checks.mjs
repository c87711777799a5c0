// What the walk asks of every screen. Findings are collected, so that one run shows all of them.

/** Words that flags may not use, from the rule file; longer ones first is not needed, all are substrings. */
const bannedOf = (rules) => [...rules.match(/banned_messages = \[([^\]]*)\]/)[1].matchAll(/"([^"]+)"/g)].map((m) => m[1]);

export function createChecks({ axeSource, rules }) {
  const banned = bannedOf(rules);
  if (banned.length < 40) throw new Error("the list of words was not found in the rule file");
  const failures = [];
  const fail = (where, text) => failures.push(`${where}: ${text}`);
  let tolerated = () => false;
  const now = { where: "start" };

  /** Listens to everything a page complains about. */
  async function watch(context) {
    await context.addInitScript(() => {
      window.__breaches = [];
      document.addEventListener("securitypolicyviolation", (e) => window.__breaches.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
    });
    context.on("page", (page) => {
      page.on("console", (m) => {
        if (m.type() === "error" && !tolerated(m.text())) fail(now.where, `console: ${m.text()}`);
      });
      page.on("pageerror", (e) => fail(now.where, `uncaught: ${e.message}`));
    });
  }

  /** Goes to an address and waits until nothing is loading any more (live streams never end, so not for a quiet network). */
  async function visit(page, path, where) {
    now.where = where;
    const answer = await page.goto(path, { waitUntil: "load" });
    const csp = answer?.headers()["content-security-policy"] ?? "";
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'"]) if (!csp.includes(part)) fail(where, `the policy lacks ${part}`);
    await settle(page, where);
  }

  async function settle(page, where) {
    try {
      await page.waitForFunction(() => document.querySelector("#app")?.childElementCount && !document.querySelector(".skeleton, .stale"), null, { timeout: 12_000 });
    } catch {
      fail(where, `still loading: ${await page.evaluate(() => document.body.innerText.slice(0, 120))}`);
    }
    await page.evaluate(() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f))));
  }

  async function judge(page, where, { phone, words }) {
    now.where = where;
    // Not innerWidth: on phones that grows with what is too wide.
    const width = page.viewportSize().width;
    const found = await page.evaluate((width) => {
      const root = document.scrollingElement;
      const wide = root.scrollWidth > width + 1 ? [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".table-scroll")).slice(0, 4).map((e) => `${e.tagName.toLowerCase()}.${String(e.getAttribute("class") ?? "").split(" ")[0]}`) : [];
      const visible = (e) => { const r = e.getBoundingClientRect(); const s = getComputedStyle(e); return r.width > 0 && r.height > 0 && s.visibility !== "hidden"; };
      const small = [...document.querySelectorAll("button, select, input, summary, .button, nav a")].filter(visible).map((e) => { const t = /^(checkbox|radio)$/.test(e.type) ? (e.closest("label") ?? e) : e; return [e, t.getBoundingClientRect()]; }).filter(([e, r]) => (r.height < 43.5 || r.width < 24)).map(([e, r]) => `${e.tagName.toLowerCase()} "${(e.innerText || e.getAttribute("aria-label") || e.value || "").slice(0, 24)}" ${Math.round(r.width)}x${Math.round(r.height)}`);
      return { overflow: root.scrollWidth - width, wide, small, breaches: window.__breaches, h1: document.querySelectorAll("h1").length, title: document.title };
    }, width);
    for (const b of found.breaches) fail(where, `policy: ${b}`);
    if (found.overflow > 1) fail(where, `scrolls sideways by ${found.overflow} px: ${found.wide.join(", ")}`);
    if (phone && found.small.length) fail(where, `targets under 44 px: ${[...new Set(found.small)].slice(0, 5).join("; ")}`);
    if (!found.title.includes("lope")) fail(where, `the page has no title: "${found.title}"`);
    await page.evaluate(`${axeSource}; undefined`);
    const axe = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const v of axe.violations.filter((x) => ["serious", "critical"].includes(x.impact))) fail(where, `axe ${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`).join(" | ").slice(0, 420)}`);
    if (words) await judgeWords(page, where);
  }

  /** Visible text, alternative texts and titles, without the fixed lines (purpose, footer, safety row, citations, own entries). */
  async function judgeWords(page, where) {
    const text = await page.evaluate(() => {
      const copy = document.body.cloneNode(true);
      copy.querySelectorAll("[data-fixed], script, style").forEach((e) => e.remove());
      const attributes = [...copy.querySelectorAll("[aria-label], [title], [placeholder]")].map((e) => `${e.getAttribute("aria-label") ?? ""} ${e.getAttribute("title") ?? ""} ${e.getAttribute("placeholder") ?? ""}`);
      return `${copy.textContent} ${attributes.join(" ")}`;
    });
    for (const w of banned) {
      const at = text.toLowerCase().indexOf(w);
      if (at >= 0) fail(where, `the word "${w}": …${text.slice(Math.max(0, at - 40), at + 40).replace(/\s+/g, " ")}…`);
    }
  }

  return {
    failures, fail, watch, visit, settle, judge,
    /** Complaints that a part provokes on purpose. */
    tolerate: (f) => { tolerated = f ?? (() => false); },
    at: (where) => { now.where = where; },
    report(seen) {
      if (failures.length === 0) console.log(`${seen} screens seen, nothing found`);
      else {
        console.log(`${failures.length} findings on ${seen} screens`);
        for (const f of failures) console.log(`  ${f}`);
      }
    },
  };
}
