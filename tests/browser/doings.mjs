// Things people do with the dashboard, each with the one outcome that must follow. Nothing is written to the server walked
// through: what would be written is caught on its way and looked at.

/** A check-in: quick when all is well; a tick of the safety row brings its fixed text at once, and is sent first. */
export async function checkIn({ context, phone, check, shots, what }) {
  const where = "check-in";
  check.at(where);
  const c = await context(phone);
  const page = await c.newPage();
  const sent = [];
  await page.route(/\/api\/v1\/(journal\/|sessions\/[^/]+$)/, (route) => {
    const r = route.request();
    if (r.method() === "GET") return route.continue();
    sent.push({ method: r.method(), path: new URL(r.url()).pathname, body: r.postDataJSON(), csrf: r.headers()["x-lope-csrf"] });
    return route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify({ put: "new" }) });
  });
  await check.visit(page, `/run/${what.main.id}/card?athlete=${what.main.athlete}`, where);
  const open = page.getByRole("button", { name: /^(Check in|Add or change)$/ });
  if (await open.count()) await open.first().click();
  const save = page.locator(".checkin button.primary");
  if (await save.isEnabled()) check.fail(where, "it can be saved without the safety row");
  const scale = (n, value) => page.locator(".checkin .scale").nth(n).locator("label", { hasText: new RegExp(`^${value}$`) }).click();
  await scale(0, 6);
  await scale(1, 2);
  await page.locator(".bodymap").waitFor({ timeout: 2000 }).catch(() => check.fail(where, "a back score of 2 does not ask where"));
  await page.getByLabel("Lower back, left").check();
  await page.getByText("Something is new").click();
  const row = page.locator(".safety-row");
  await row.locator("details .check").first().click();
  await row.locator(".safety-stop").waitFor({ timeout: 2000 }).catch(() => check.fail(where, "an emergency tick shows no text"));
  // Under the bar that sticks to the top, axe would measure what is left of a box.
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${shots}/check-in-tick.png`, fullPage: true });
  await check.judge(page, where, { phone: true, words: true });
  await save.click();
  await page.getByText("Saved.").first().waitFor({ timeout: 4000 }).catch(() => check.fail(where, "it is not saved"));
  const [first, second] = sent;
  if (!(first?.method === "PUT" && first.path.includes("/journal/") && first.body.kind === "check_in")) check.fail(where, "the safety row is not sent first");
  if (!(first?.body.ticks?.length === 1 && first.body.safety_answered === true && first.body.back_now === 2 && first.body.places?.[0] === "low_back_left")) check.fail(where, `what was ticked is not what is sent: ${JSON.stringify(first?.body)}`);
  if (!(second?.method === "PATCH" && second.body.effort === 6 && !("back_worst" in second.body))) check.fail(where, `the note is not as answered: ${JSON.stringify(second?.body)}`);
  await c.close();
}

/** Dragging across a strip selects; a table and a CSV file stand behind every plot. */
export async function pointer({ context, form, check, what }) {
  const where = "pointer";
  check.at(where);
  const c = await context(form);
  const page = await c.newPage();
  await check.visit(page, `/run/${what.main.id}?athlete=${what.main.athlete}`, where);
  const box = await page.locator(".strip .u-over").first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=\d+.*to=\d+/, { timeout: 3000 }).catch(() => check.fail(where, "dragging selects nothing"));
  await check.settle(page, where);
  const figures = await page.locator("figure").count();
  const tables = await page.getByRole("button", { name: "View as table" }).count();
  if (figures === 0 || figures !== tables) check.fail(where, `${figures} plots, ${tables} tables`);
  const figure = page.locator("figure").first();
  await figure.getByRole("button", { name: "View as table" }).click();
  const rows = await figure.locator("tbody tr").count();
  const saving = page.waitForEvent("download", { timeout: 5000 });
  await figure.getByRole("button", { name: /^CSV/ }).click();
  const stream = await (await saving).createReadStream();
  let text = "";
  for await (const part of stream) text += part;
  const lines = text.trim().split("\r\n");
  if (rows < 10 || lines.length - 1 < rows) check.fail(where, `the table has ${rows} rows, the file ${lines.length - 1}`);
  await c.close();
}

/** While an emergency or urgent tick stands: its text on top of every screen, and no scores below it. */
export async function stopped({ context, form, check, what }) {
  if (!what.stopped) return;
  const where = "stopped";
  const c = await context(form);
  const page = await c.newPage();
  const session = what.sessions.find((s) => s.athlete === what.stopped)?.id;
  for (const path of ["/", "/trends", "/flags", "/compare", "/journal", "/settings", ...(session ? [`/run/${session}/card`, `/run/${session}`] : [])]) {
    await check.visit(page, `${path}?athlete=${what.stopped}`, where);
    const first = await page.evaluate(() => document.querySelector("main")?.firstElementChild?.matches(".safety-stop"));
    if (!first) check.fail(where, `${path}: the safety text does not stand on top`);
    if (await page.locator(".card-rows, .verdict, .one-thing, .headline").count()) check.fail(where, `${path}: scores or praise are shown`);
  }
  await c.close();
}

/** A live stream that breaks comes back with the id of the last event, and nothing is taken twice. */
export async function breaks({ context, form, check, what, mock }) {
  if (!what.live[0]) return;
  const where = "break";
  check.at(where);
  check.tolerate((t) => /ERR_|Failed to load resource/.test(t));
  const c = await context(form);
  const page = await c.newPage();
  const asked = [];
  page.on("request", (r) => {
    if (/\/live\/live-/.test(r.url()) && r.method() === "GET") asked.push(r.headers()["last-event-id"] ?? null);
  });
  await check.visit(page, `/live/${what.live[0].session}?athlete=${what.live[0].athlete}`, where);
  await page.waitForTimeout(1500);
  mock.closeAllConnections();
  await page.waitForFunction(() => document.querySelector(".notice-care"), null, { timeout: 5000 }).catch(() => undefined);
  await page.waitForFunction(() => !document.querySelector(".notice-care") && document.querySelector(".tiles"), null, { timeout: 8000 }).catch(() => check.fail(where, "the stream does not come back"));
  await page.waitForTimeout(1200);
  if (asked.length < 2 || !/^\w+-\d+$/.test(asked.at(-1) ?? "")) check.fail(where, `asked again with ${JSON.stringify(asked)}`);
  await page.locator("figure", { hasText: "Ten minutes" }).getByRole("button", { name: "View as table" }).click();
  const times = await page.locator("figure", { hasText: "Ten minutes" }).locator("tbody td:first-child").allTextContents();
  if (new Set(times).size !== times.length) check.fail(where, "a second is there twice");
  // Stop needs a whole second.
  const stop = page.locator("button.stop");
  const posted = [];
  await page.route("**/events", (route) => { posted.push(route.request().postDataJSON()); return route.fulfill({ status: 202, contentType: "application/json", body: "{}" }); });
  await stop.hover();
  await page.mouse.down();
  await page.waitForTimeout(400);
  await page.mouse.up();
  if (posted.length) check.fail(where, "a short press stops the run");
  await stop.focus();
  await page.keyboard.down("Enter");
  await page.waitForTimeout(1200);
  await page.keyboard.up("Enter");
  if (posted[0]?.kind !== "stop") check.fail(where, "holding a key does not stop the run");
  check.tolerate(null);
  await c.close();
}

/** As coach, therapist, runner and by link: nothing breaks, and what is not theirs is not offered. */
export async function roles({ context, form, check, shots, screens }) {
  check.tolerate((text) => /403|Failed to load resource/.test(text));
  for (const role of ["coach", "therapist", "runner", "share"]) {
    process.env.LOPE_MOCK_ROLE = role;
    const c = await context(form);
    const page = await c.newPage();
    for (const [name, path] of screens.filter(([n]) => ["runs", "card", "flags", "coach", "inbox", "explorer-stride", "settings", "journal", "therapist"].includes(n))) {
      const where = `${name} as ${role}`;
      await check.visit(page, path, where);
      if (name === "card" || name === "coach") await page.screenshot({ path: `${shots}/role-${role}-${name}.png`, fullPage: true });
      await check.judge(page, where, { phone: false, words: name !== "explorer-stride" });
      const nav = await page.locator("nav").textContent();
      if (role !== "therapist" && nav.includes("Therapist")) check.fail(where, "the therapist's screen is offered");
      if (["runner", "share"].includes(role) && nav.includes("Coach")) check.fail(where, "the coach's screen is offered");
      if (name === "card" && role !== "runner" && (await page.locator(".checkin").count())) check.fail(where, "a check-in is offered");
      if (name === "inbox" && role === "coach" && /Back score|Safety stop/.test((await page.locator("main").textContent()) ?? "") && !/Eli|Cem|Ada/.test((await page.locator("main").textContent()) ?? "")) check.fail(where, "symptoms without consent");
    }
    await c.close();
  }
  delete process.env.LOPE_MOCK_ROLE;
  check.tolerate(null);
}

/** 1280 px at 400 %: 320 px wide. Nothing may scroll sideways but tables. */
export async function narrow({ context, check, screens }) {
  const c = await context({ name: "320", viewport: { width: 320, height: 256 }, scheme: "light" });
  const page = await c.newPage();
  for (const [name, path] of screens) {
    const where = `${name} 320`;
    await check.visit(page, path, where);
    const over = await page.evaluate(() => document.scrollingElement.scrollWidth - 320);
    if (over > 1) check.fail(where, `scrolls sideways by ${over} px at 400 %`);
  }
  await c.close();
}
