const MARGIN = 3

export interface SparklinePoint {
  readonly x: number
  readonly y: number
}

/** From left to right over the whole width (a single value at its end), from zero at the bottom to the largest on top. */
export function sparklinePoints(values: readonly number[], width: number, height: number): readonly SparklinePoint[] {
  const largest = Math.max(...values, Number.MIN_VALUE)
  const step = (width - 2 * MARGIN) / Math.max(values.length - 1, 1)
  const first = values.length === 1 ? width - MARGIN : MARGIN
  return values.map((value, n) => ({
    x: tenth(first + n * step),
    y: tenth(height - MARGIN - (value / largest) * (height - 2 * MARGIN))
  }))
}

const tenth = (value: number): number => Math.round(value * 10) / 10
