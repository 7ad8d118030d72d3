import { Button } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { words } from '../words.ts'
import { useCopied } from './use-copied.ts'

/** A button that says what it copies, and then that it did; also to screen readers. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const { copied, copy } = useCopied(text)
  const Symbol = copied ? IconCheck : IconCopy
  return (
    <Button variant="default" size="xs" leftSection={<Symbol size={16} aria-hidden />} onClick={copy}>
      <span aria-live="polite">{copied ? words.copied : label}</span>
    </Button>
  )
}
