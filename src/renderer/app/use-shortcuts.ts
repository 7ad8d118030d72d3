import { useHotkeys } from '@mantine/hooks'
import { useWindow } from '../state/store-context.ts'
import { RAIL } from './screens.tsx'

/** Keys that work everywhere. Those that could also be typed do not work in fields. */
export function useShortcuts(): void {
  const go = useWindow((state) => state.go)
  const goBack = useWindow((state) => state.goBack)
  const open = useWindow((state) => state.openFrameDialog)
  useHotkeys(
    RAIL.map(({ screen }, n) => [`mod+${n + 1}`, () => go({ screen })]),
    []
  )
  useHotkeys([
    ['alt+ArrowLeft', goBack],
    ['shift+?', () => open('shortcuts')],
    ['?', () => open('shortcuts')]
  ])
}
