// The stamp must be the one the server's build computes: written out here by hand for a small folder.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stampOf } from "../stamp.mjs";

let root: string;
const put = (path: string, text: string): void => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
};
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stamp-"));
  for (const f of ["index.html", "package-lock.json", "vite.config.ts", "tsconfig.json", "package.json", "dist/THIRD_PARTY.txt"]) put(f, `content of ${f}`);
  put("src/main.tsx", "a");
  put("src/ui/b.ts", "");
});
afterEach(() => rmSync(root, { recursive: true }));

test("over sorted lines of path, null byte, hash", () => {
  const sha = (t: string): string => createHash("sha256").update(t).digest("hex");
  const lines = ["dist/THIRD_PARTY.txt", "index.html", "package-lock.json", "package.json", "src/main.tsx", "src/ui/b.ts", "tsconfig.json", "vite.config.ts"].map((p) => `${p}\0${sha(p === "src/main.tsx" ? "a" : p === "src/ui/b.ts" ? "" : `content of ${p}`)}\n`);
  expect(stampOf(root)).toBe(sha(lines.join("")));
});
test("changes with a changed, renamed and new file; not with other files of dist", () => {
  const before = stampOf(root);
  put("dist/assets/x.js", "1");
  expect(stampOf(root)).toBe(before);
  put("src/new.ts", "");
  const more = stampOf(root);
  expect(more).not.toBe(before);
  put("src/main.tsx", "b");
  expect(stampOf(root)).not.toBe(more);
});
test("a missing file is an error, not another stamp", () => {
  rmSync(join(root, "package-lock.json"));
  expect(() => stampOf(root)).toThrow();
});
