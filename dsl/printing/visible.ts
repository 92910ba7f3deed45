/** Text as a terminal may have it: what would steer the terminal, or turn the reading direction, is written out. */

/** Control characters but for tab and line feed as `\x1b`, those that change the direction of text as `\u202e`. */
export const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    if (character === '\n' || character === '\t') return character;
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
