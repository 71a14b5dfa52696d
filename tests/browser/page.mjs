// Runs the block of docs/browser.md as a page does, then asks what it is told to; all by JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [, , place, block] = process.argv;
const { GrowthBook } = createRequire(path.join(place, "package.json"))("@growthbook/growthbook");
const { state, payload, features, experiments } = JSON.parse(readFileSync(0, "utf8"));

const tracked = [];
const analytics = { track: (event, told) => tracked.push({ event, ...told }) };
const document = { getElementById: (id) => ({ textContent: id === "experiments" ? JSON.stringify(state) : "" }) };
const begin = new Function("GrowthBook", "document", "analytics", `${block}; return growthbook;`);

const growthbook = begin(GrowthBook, document, analytics);
growthbook.initSync({ payload });
const told = {
  features: Object.fromEntries(features.map((key) => [key, growthbook.getFeatureValue(key, null)])),
  experiments: Object.fromEntries(
    experiments.map((experiment) => [experiment.key, growthbook.run(experiment).value]),
  ),
  attributes: growthbook.getAttributes(),
  tracked,
};
console.log(JSON.stringify(told));
