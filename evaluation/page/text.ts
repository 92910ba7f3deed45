/** Text of the page: escaping, and numbers as a reader wants them. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character]);

/** `0.0312`, `12.5`, `4980`, `3.1·10⁻⁷`. */
export const numberText = (value: number): string => {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', '∞').replace('-', '−');
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [digits, exponent] = value.toExponential(1).split('e');
    const raised = [...exponent.replace('+', '')]
      .map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]))
      .join('');
    const factor = Number(digits) === 1 ? '' : Number(digits) === -1 ? '−' : `${Number(digits)}·`;
    return `${factor}10${raised}`.replace('-', '−');
  }
  const text = size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return text.replace('-', '−');
};

/** `12,345`. */
export const countText = (count: number): string => count.toLocaleString('en-US');
