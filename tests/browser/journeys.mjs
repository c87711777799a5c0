// Two journeys: through the dashboard by keyboard alone, and into the states that only trouble brings.

/** Presses Tab until what has the focus fits, or gives up. */
async function tabTo(page, fits, most = 200) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const there = await page.evaluate((f) => {
      const e = document.activeElement;
      return Boolean(e && e.matches(f.selector) && (!f.text || new RegExp(f.text).test(e.textContent ?? "")));
    }, fits);
    if (there) return true;
  }
  return false;
}

/** Roster, then a runner's drawer, a session, a stride; a plot read by arrow keys; help by `?`. No pointer is used. */
export async function keyboardPath({ context, form, check, shots }) {
  const where = "keyboard";
  check.at(where);
  const c = await context(form);
  const page = await c.newPage();
  const step = async (ok, text) => ok || check.fail(where, text);
  await check.visit(page, "/coach", where);
  await step(await tabTo(page, { selector: "a.skip" }, 1), "the first stop is not the skip link");
  await step(await tabTo(page, { selector: ".roster .name" }), "no runner can be reached in the roster");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  await step(outline !== "none", "the focus is not visible");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open] .drawer-runs a", { timeout: 5000 }).catch(() => check.fail(where, "the drawer does not open"));
  await step(await tabTo(page, { selector: ".drawer-runs a" }, 30), "no run can be reached in the drawer");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/run\//, { timeout: 5000 }).catch(() => check.fail(where, "the run does not open"));
  await page.waitForSelector(".strip .plot", { timeout: 8000 }).catch(() => check.fail(where, "the run has no plot"));
  await check.settle(page, where);
  await step(await tabTo(page, { selector: ".strip .plot" }), "no plot can be reached");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("PageDown");
  await page.waitForFunction(() => document.activeElement?.closest("figure")?.querySelector("[aria-live]")?.textContent?.includes(":"), null, { timeout: 3000 }).catch(() => check.fail(where, "the plot's cursor is not spoken"));
  await page.keyboard.press("Enter");
  await page.keyboard.press("PageDown");
  await page.keyboard.press("PageDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/from=\d+.*to=\d+/, { timeout: 3000 }).catch(() => check.fail(where, "no selection by keys"));
  await check.settle(page, where);
  await step(await tabTo(page, { selector: ".strides button" }), "no stride can be reached");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#stride .steps li", { timeout: 8000 }).catch(() => check.fail(where, "the stride does not open"));
  await check.settle(page, where);
  await page.screenshot({ path: `${shots}/keyboard-stride.png` });
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open] kbd", { timeout: 3000 }).catch(() => check.fail(where, "? shows no keys"));
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("f");
  await page.waitForURL(/\/flags/, { timeout: 3000 }).catch(() => check.fail(where, "g f does not go to the flags"));
  await page.goBack();
  await page.waitForURL(/stride=\d+/, { timeout: 3000 }).catch(() => check.fail(where, "going back does not bring the stride back"));
  await c.close();
}

const json = (status, body) => ({ status, contentType: status < 400 ? "application/json" : "application/problem+json", body: JSON.stringify(body) });

/** Empty, failing, refused, silent: each must say what it is, and not break. */
export async function states({ context, forms, check, shots, what }) {
  check.tolerate((text) => /Failed to load resource|net::ERR/.test(text));
  const A = `athlete=${what.main.athlete}`;
  const cases = [
    ["empty-runs", `/?${A}`, "**/api/v1/sessions?**", json(200, { items: [], next_cursor: null }), /No runs here yet/],
    ["error-flags", `/flags?${A}`, /\/api\/v1\/flags\?/, json(500, { title: "The record could not be read.", status: 500, code: "lope::store::read", detail: "The disk answered with an error.", facts: ["/data is full"] }), /The record could not be read/],
    ["closed-coach", "/coach", "**/api/v1/squad", json(403, { title: "The roster is for coaches.", status: 403 }), /Not shared with you/],
    ["closed-raw", `/run/${what.main.id}?${A}&stride=${what.stride?.idx ?? 0}&side=${what.stride?.side ?? ""}`, "**/raw?**", json(403, { title: "Raw samples are not shared.", status: 403 }), /Not shared with you/],
    ["empty-inbox", "/coach?tab=inbox", "**/api/v1/inbox", json(200, { items: [] }), /The inbox is clear/],
    ["empty-live", "/live", "**/api/v1/live", json(200, { items: [] }), /Nobody is running now/],
    ["raw-gone", `/run/${what.main.id}?${A}&stride=${what.stride?.idx ?? 0}&side=${what.stride?.side ?? ""}`, "**/raw?**", json(200, { sensors: [], kept: false, why_not: "Raw samples are kept 90 days; these are older." }), /kept 90 days/],
    ["silent-trends", `/trends?${A}`, "**/api/v1/trends?**", "abort", /No answer from lope/],
    ["login", "/", "**/api/v1/health", json(401, { title: "Please log in.", status: 401 }), /Access token/],
  ];
  for (const form of [forms[0], forms[3]]) {
    for (const [name, path, pattern, answer, expected] of cases) {
      const where = `${name} ${form.name}`;
      check.at(where);
      const c = await context(form);
      const page = await c.newPage();
      await page.route(pattern, (route) => (answer === "abort" ? route.abort() : route.fulfill(answer)));
      await page.goto(path);
      await page.getByText(expected).first().waitFor({ timeout: 8000 }).catch(() => check.fail(where, `does not say ${expected}`));
      await page.screenshot({ path: `${shots}/state-${name}-${form.name}.png` });
      await check.judge(page, where, { phone: form.viewport.width < 500, words: true });
      await c.close();
    }
    // Old data stay, dimmed and with their age, when lope stops answering.
    const where = `stale ${form.name}`;
    check.at(where);
    const c = await context(form);
    const page = await c.newPage();
    await check.visit(page, `/?${A}`, where);
    await page.route("**/api/v1/**", (route) => route.abort());
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.getByText(/Shown: what was known/).first().waitFor({ timeout: 5000 }).catch(() => check.fail(where, "old data are not shown with their age"));
    await page.screenshot({ path: `${shots}/state-stale-${form.name}.png` });
    await check.judge(page, where, { phone: form.viewport.width < 500, words: false });
    await c.close();
  }
  check.tolerate(null);
}
