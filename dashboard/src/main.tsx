/** Starts the dashboard: theme before the first paint, then who is looking and the catalogs, then the frame with its screens. */
import { render } from "preact";
import { App } from "./frame";
import { applyTheme } from "./prefs";
import "./style.css";
import "./screens.css";

applyTheme();
const root = document.getElementById("app");
if (root) render(<App />, root);
