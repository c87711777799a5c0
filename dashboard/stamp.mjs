// Writes dist/.stamp: the SHA-256 of what the bundle was made from. The server's build compares it with the sources at hand and
// leaves a stale bundle out. Over the sorted lines "<relative path>\0<sha256 hex of content>\n".
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const SINGLE = ["index.html", "package-lock.json", "vite.config.ts", "tsconfig.json", "package.json", "dist/THIRD_PARTY.txt"];

function filesUnder(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((e) => {
    const path = join(folder, e.name);
    return e.isDirectory() ? filesUnder(root, path) : [path];
  });
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The stamp of the dashboard in `root`: lower-case hexadecimal SHA-256. Throws when one of the files is missing. */
export function stampOf(root) {
  const paths = [...filesUnder(root, "src"), ...SINGLE].map((p) => relative("", p).split(sep).join("/"));
  const lines = paths.map((p) => `${p}\0${sha256(readFileSync(join(root, p)))}\n`);
  // By bytes, as the other side sorts; not by locale.
  lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sha256(lines.join(""));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL(".", import.meta.url));
  const stamp = stampOf(root);
  if (process.argv[2] === "--check") {
    // 1 when the bundle is older than its sources.
    process.exit(readFileSync(join(root, "dist/.stamp"), "utf8").trim() === stamp ? 0 : 1);
  }
  writeFileSync(join(root, "dist/.stamp"), `${stamp}\n`);
  console.log(`stamp ${stamp}`);
}
