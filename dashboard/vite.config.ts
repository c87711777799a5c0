// The build of the dashboard: one page, routes split by dynamic import, nothing inlined into the HTML (the page's content
// security policy forbids inline script and style).
import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 200,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": process.env.LOPE_URL ?? "http://127.0.0.1:8787" } },
  test: { include: ["tests/**/*.test.ts"] },
} as never);
