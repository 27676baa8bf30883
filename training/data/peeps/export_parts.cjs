// Export Open Peeps (CC0, Pablo Stanley) from the npm package react-peeps into parts.json.
//
//   npm pack react-peeps@0.1.10 && tar xzf react-peeps-0.1.10.tgz
//   node export_parts.cjs package/lib/peeps parts.json
//
// Only the drawings are taken. Every part becomes an SVG fragment in which #000 stands for ink and
// #fff for paper. Left out: the coloured medical parts and the three that are no people.
const fs = require("fs");
const path = require("path");
const Module = require("module");

const [, , source, target] = process.argv;
const KINDS = {
  hair: "hair",
  face: "face",
  beard: "facialHair",
  accessory: "accessories",
  bust: "pose/bust",
  sitting: "pose/sitting",
  standing: "pose/standing",
};
const LEFT_OUT = new Set([
  "Cyclops", "Monster", "Bear", "Doc", "DocProtectiveClothe", "DocStethoscope",
  "DocBouffant", "DocShield", "DocSurgery", "None", "index", "z_options",
]);

const attribute = (name) => name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
const react = {
  createElement(tag, properties, ...children) {
    if (typeof tag === "function") return tag(properties || {});
    const given = Object.entries(properties || {})
      .map(([name, value]) => ` ${attribute(name)}="${value}"`)
      .join("");
    return `<${tag}${given}>${children.flat().filter(Boolean).join("")}</${tag}>`;
  },
};
react.default = react;
const load = Module._load;
Module._load = (request, ...rest) => (request === "react" ? react : load(request, ...rest));

const round = (svg) => svg.replace(/-?\d+\.\d+/g, (number) => String(+(+number).toFixed(1)));
const parts = {};
for (const [kind, folder] of Object.entries(KINDS)) {
  parts[kind] = {};
  for (const file of fs.readdirSync(path.join(source, folder)).sort()) {
    const name = path.basename(file, ".js");
    if (!file.endsWith(".js") || LEFT_OUT.has(name)) continue;
    const component = Object.values(require(path.resolve(source, folder, file))).find(
      (value) => typeof value === "function",
    );
    parts[kind][name] = round(component({ strokeColor: "#000", backgroundColor: "#fff" }));
  }
}
fs.writeFileSync(target, JSON.stringify(parts, null, 1) + "\n");
for (const [kind, found] of Object.entries(parts)) {
  console.log(kind, Object.keys(found).length, Object.keys(found).join(" "));
}
