// What this city calls workflows, verbs and categories; asked for once.
import { reactive } from "/assets/vue.js";
import { get } from "./api.js";
import { keep, kept } from "./keeping.js";
import { layout } from "./session.js";
import { language } from "./words.js";

export const caseWords = reactive({ categories: [], workflows: [] });
let asked = null;

// A phone that has no connection goes on with those it had.
export function learnCaseWords() {
  asked ??= get("/case-words").then(
    (words) => (layout === "phone" ? keep("case-words", words).then(() => words) : words),
    async (error) => {
      asked = null;
      const words = layout === "phone" && (await kept("case-words"));
      if (!words) throw error;
      return words;
    },
  );
  return asked.then((words) => Object.assign(caseWords, words));
}

export function verbName(workflow, verb) {
  const found = caseWords.workflows.find(({ name }) => name === workflow)?.verbs.find((each) => each.verb === verb);
  return found && (language.now === "zh" ? found.label : found.label_en);
}
