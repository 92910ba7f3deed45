/** The paper's table on any data set: its protocol as data, the aggregation of its trials, Markdown and a page. */
export * from './aggregate.js';
export * from './markdown.js';
export * from './page.js';
export * from './protocol.js';
export * from './table.js';
