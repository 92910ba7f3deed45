/** The oracles: flows on manifolds whose densities are known. */
export { oracles, type OracleFigures, type OracleJob, trainOracle } from './oracles.js';
export { type OracleFacts, type OracleOutcome, oraclesMarkdown } from './oracles-markdown.js';
