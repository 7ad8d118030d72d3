import { useMantineColorScheme } from '@mantine/core'
import { useEffect } from 'react'
import { useWindow } from '../state/store-context.ts'

/** Light, dark, or as the system has it. Mantine remembers it for the first paint of the next start. */
export function useAppearance(): void {
  const appearance = useWindow((state) => state.choices?.appearance)
  const { setColorScheme } = useMantineColorScheme()
  useEffect(() => {
    if (appearance !== undefined) setColorScheme(appearance === 'system' ? 'auto' : appearance)
  }, [appearance, setColorScheme])
}
