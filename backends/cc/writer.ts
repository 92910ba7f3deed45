/** Lines of C under construction, with names for values and indented blocks. */

export type Writer = {
  readonly line: (text: string) => void;
  /** Gives an expression a name within the block. */
  readonly declare: (type: string, expression: string) => string;
  /** A name that nothing has yet. */
  readonly fresh: (prefix: string) => string;
  readonly block: (head: string, inside: () => void) => void;
  readonly text: () => string;
};

export const createWriter = (): Writer => {
  const lines: string[] = [];
  let depth = 0;
  let names = 0;
  const fresh = (prefix: string): string => `${prefix}${names++}`;
  const line = (text: string): void => void lines.push(`${'  '.repeat(depth)}${text}`);
  return {
    line,
    fresh,
    declare: (type, expression) => {
      const name = fresh('t');
      line(`const ${type} ${name} = ${expression};`);
      return name;
    },
    block: (head, inside) => {
      line(head === '' ? '{' : `${head} {`);
      depth += 1;
      inside();
      depth -= 1;
      line('}');
    },
    text: () => `${lines.join('\n')}\n`,
  };
};
