import { useTimeout } from '@mantine/hooks'
import { useState } from 'react'
import { copyText } from './copy-text.ts'

const SAID_FOR_MS = 2000

/** Copies, and says for a moment that it did. */
export function useCopied(text: string): { readonly copied: boolean; readonly copy: () => void } {
  const [copied, setCopied] = useState(false)
  const { start } = useTimeout(() => setCopied(false), SAID_FOR_MS)
  const copy = (): void => {
    setCopied(copyText(text))
    start()
  }
  return { copied, copy }
}
