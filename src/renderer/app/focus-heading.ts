import { PAGE_HEADING } from '../ui/page-header.tsx'

/** Past rail and bar to what the page is about; also for those who hear it. */
export function focusHeading(): void {
  document.getElementById(PAGE_HEADING)?.focus({ preventScroll: true })
}
