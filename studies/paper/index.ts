/** The paper's table on any data set: its protocol as data, the aggregation of its trials, Markdown and a page. Options and files are the command's. */
export { agreements, compare, rowOf, type TableTrial } from './aggregate.js';
export { type Table, type TableFacts, tableOf } from './paper-table.js';
export {
  claims,
  paperTableOf,
  protocol,
  type ProtocolRow,
  trainedColumns,
  type TrainedName,
} from './protocol.js';
export { tableMarkdown } from './table-markdown.js';
export { type RowPictures, tablePage, type TablePictures } from './table-page.js';
export { type Plan, planTable, type TableRequest } from './table-plan.js';
