// Checks queries with Microsoft's own parser of Kusto. Reads {"tables": {name: columns},
// "queries": [text]} from standard input; writes a list of problems for each query.
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');

const { Symbols, GlobalState, KustoCode } = Kusto.Language;
const { tables, queries } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const known = Object.entries(tables).map(
  ([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('logs', known));

function problems(query) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, at) => found.getItem(at))
    .filter((one) => one.Severity !== 'Suggestion')
    .map((one) => `${one.Message} ${query.substr(one.Start, one.Length)}`);
}

process.stdout.write(JSON.stringify(queries.map(problems)));
