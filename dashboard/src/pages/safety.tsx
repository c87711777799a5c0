/** The safety page: every tick and its fixed text, readable at any time, with or without a tick. */
import type { JSX } from "preact";
import { useSession } from "../session";
import { Empty, Head } from "../ui/basics";

export default function SafetyPage(): JSX.Element {
  const { rules } = useSession();
  if (!rules) return <Empty title="The safety texts could not be loaded.">In an emergency call your emergency number.</Empty>;
  const under = (k: string): typeof rules.ticks => rules.ticks.filter((t) => t.shown_under.replace(/_/g, " ") === k);
  const parts = [["emergency", rules.emergency_text, "⬢"], ["urgent", rules.urgent_text, "⬢"], ["before next run", rules.before_next_run_text, "◆"]] as const;
  return (
    <div class="reading" data-fixed>
      <Head title="Safety page" sub="If any of these fits, with or without running. This page cannot tell you the cause." />
      {parts.map(([k, text, shape]) => (
        <section key={k} class={`safety-part safety-${k === "before next run" ? "no_cues" : "stop"}`}>
          <h2><span class="shape" aria-hidden="true">{shape}</span> {text}</h2>
          <ul>{under(k).map((t) => <li key={t.id}>{t.text}</li>)}</ul>
        </section>
      ))}
      <section class="safety-part safety-no_cues">
        <h2><span class="shape" aria-hidden="true">◆</span> Both together: {rules.before_next_run_text.charAt(0).toLowerCase() + rules.before_next_run_text.slice(1)}</h2>
        <ul>{rules.ticks.filter((t) => t.id === "focal_one_side" || t.id === "pain_on_impact").map((t) => <li key={t.id}>{t.text}</li>)}</ul>
      </section>
    </div>
  );
}
