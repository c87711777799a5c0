/** When lope was last heard from: every answer and every live event is a sign of life. For the dot in the top bar. */
export type Link = "ok" | "trying" | "lost";

let lastMs = 0;
let state: Link = "trying";
let live = false;

/** Something arrived. */
export function heard(): void {
  lastMs = Date.now();
  state = "ok";
}
/** A request got no answer, or a stream ended. */
export function missed(): void {
  if (state === "ok") state = "trying";
  if (Date.now() - lastMs > 20_000) state = "lost";
}
/** Whether a live stream is open now. */
export const setLive = (open: boolean): void => {
  live = open;
};
export const pulse = (): { state: Link; lastMs: number; live: boolean } => ({ state, lastMs, live });
