/** An amount of memory in words. */

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `512 MB`, `3.2 TB`. */
export const bytesText = (bytes: number): string => {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power] ?? ''}`;
};
