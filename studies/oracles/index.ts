/** The oracles: flows on manifolds whose densities are known, trained and measured. The manifolds are data's, options and files the command's. */
export { oracles, type OracleFigures, type OracleJob, trainOracle } from './oracles.js';
export { type OracleFacts, type OracleOutcome, oraclesMarkdown } from './oracles-markdown.js';
