import { expect, test } from "vitest";
import { stemEnglish } from "./porter2.ts";

/** From the published description and its sample vocabulary. */
const SAMPLES = `
  consign consign|consigned consign|consigning consign|consignment consign|consist consist|consisted consist
  |consistency consist|consistent consist|consistently consist|consolation consol|consolatory consolatori
  |conspicuous conspicu|conspiracy conspiraci|constable constabl|constancy constanc
  |knackeries knackeri|knaves knave|knavish knavish|kneaded knead|kneel kneel|knightly knight|knots knot
  |generously generous|communism communism|exceedingly exceed|proceed proceed|happily happili
  |relational relat|conditional condit|rationally ration|digitizer digit|vietnamization vietnam
  |feudalism feudal|decisiveness decis|hopefulness hope|formality formal|sensitivity sensit
  |sensibility sensibl|analogously analog|triplicate triplic|formative format|electrical electr
  |goodness good|revival reviv|allowance allow|inference infer|airliner airlin|adjustable adjust
  |replacement replac|adoption adopt|bowdlerize bowdler|controlling control|rolling roll|hopping hop|hoping hope
  |saying say|yellow yellow|boyish boyish|flies fli|ties tie|cries cri|gas gas|kiwis kiwi|this this|caresses caress
  |skies sky|dying die|news news|early earli|only onli|adding add|egged egg|agreed agre|feed feed|universal universal
  |radically radic|cheaply cheapli|quickly quick|is is|by by|say say|enjoy enjoy|apology apolog|biology biolog`;

test.each(
  SAMPLES.split("|").map((pair) => {
    const [word = "", stem = ""] = pair.trim().split(" ");
    return { word, stem };
  }),
)("$word is $stem", ({ word, stem }) => {
  expect(stemEnglish(word)).toBe(stem);
});

test("words of other scripts stay", () => {
  expect(stemEnglish("\u043a\u043d\u0438\u0433\u0438")).toBe("\u043a\u043d\u0438\u0433\u0438");
});
