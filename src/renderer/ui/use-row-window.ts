import { useVirtualizer } from '@tanstack/react-virtual'
import { useState } from 'react'

/** Below this, all rows are simply there. */
const FEW = 60

export interface RowWindow {
  /** Of the element that holds the rows. */
  readonly hold: (element: HTMLElement | null) => void
  /** Indexes of the rows to draw. */
  readonly shown: readonly number[]
  /** Room of the rows before and after them, in px. */
  readonly before: number
  readonly after: number
}

/** Which of many rows are in sight while the page scrolls. Rows are of one height. */
export function useRowWindow(count: number, rowHeight: number): RowWindow {
  const [element, hold] = useState<HTMLElement | null>(null)
  const page = element?.closest('main') ?? null
  const isMany = count > FEW
  // eslint-disable-next-line react-hooks/incompatible-library -- what it returns is read in this render and not kept
  const virtual = useVirtualizer({
    count,
    enabled: isMany,
    overscan: 8,
    estimateSize: () => rowHeight,
    getScrollElement: () => page,
    scrollMargin: topIn(page, element)
  })
  if (!isMany) return { hold, shown: Array.from({ length: count }, (_, n) => n), before: 0, after: 0 }
  const items = virtual.getVirtualItems()
  const margin = virtual.options.scrollMargin
  return {
    hold,
    shown: items.map(({ index }) => index),
    before: (items[0]?.start ?? margin) - margin,
    after: virtual.getTotalSize() - ((items.at(-1)?.end ?? margin) - margin)
  }
}

/** Where the element begins in what scrolls, in px. */
function topIn(page: Element | null, element: Element | null): number {
  if (page === null || element === null) return 0
  return element.getBoundingClientRect().top - page.getBoundingClientRect().top + page.scrollTop
}
