import { Button } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { words } from './words.ts'

interface FoldedProps<Row> {
  readonly rows: readonly Row[]
  /** So many at first. */
  readonly first: number
  readonly children: (rows: readonly Row[]) => ReactNode
}

/** A long list that shows its beginning until one wants all of it. */
export function Folded<Row>({ rows, first, children }: FoldedProps<Row>) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      {children(isOpen ? rows : rows.slice(0, first))}
      {rows.length > first && !isOpen && (
        <Button variant="subtle" mt="xs" onClick={() => setOpen(true)}>
          {words.showAll(rows.length)}
        </Button>
      )}
    </>
  )
}
