import { useEffect, type RefObject } from 'react'
import type { Route } from '../state/route-slice.ts'
import type { Travel } from './travel.ts'

interface ArrivalProps {
  readonly route: Route
  readonly travel: Travel
  readonly page: RefObject<HTMLElement | null>
}

/** Stands behind a page inside its Suspense, so that its effect runs when the page is there. */
export function Arrival({ route, travel, page }: ArrivalProps) {
  useEffect(() => (page.current === null ? undefined : travel.arrive(route, page.current)), [route, travel, page])
  return undefined
}
