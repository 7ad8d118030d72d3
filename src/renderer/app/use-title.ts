import { useEffect } from 'react'
import { useWindow } from '../state/store-context.ts'
import { useSafety } from '../state/use-safety.ts'
import { titleOf } from './title-view.ts'

/** Keeps the browser's title true. */
export function useTitle(): void {
  const title = titleOf(
    useWindow((state) => state.link),
    useWindow((state) => state.hosts),
    useSafety()
  )
  useEffect(() => {
    document.title = title
  }, [title])
}
