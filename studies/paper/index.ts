/** The paper's table on any data set: its protocol as data, the aggregation of its trials, Markdown and a page. */
export * from './aggregate.js';
export * from './table-markdown.js';
export * from './table-page.js';
export * from './table-plan.js';
export * from './protocol.js';
export * from './paper-table.js';
