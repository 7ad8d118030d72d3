import { Button, Group, Stack, Text, Textarea, Title } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useState } from 'react'
import { safeLines } from '../../../shared/safe-text.ts'
import { pointName } from '../../../shared/point-name.ts'
import type { PointView } from '../../../shared/views/point-view.ts'
import { useWindow } from '../../state/store-context.ts'
import classes from './vm.module.css'
import { words } from './words.ts'

const said = words.point
const LONGEST_NOTE = 2000

/** What somebody wanted to remember of a point. */
export function PointNote({ point }: { readonly point: PointView }) {
  const { marks } = point
  const [draft, setDraft] = useState<string>()
  const note = useWindow((state) => state.notePoint)
  const isBusy = useWindow(({ pointErrand }) => pointErrand?.what === 'note' && pointErrand.isBusy)
  if (draft === undefined)
    return (
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={3}>{said.note}</Title>
          <Button
            variant="default"
            size="xs"
            loading={isBusy}
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => setDraft(marks.note ?? '')}
          >
            {marks.note === undefined ? said.addNote : said.editNote}
          </Button>
        </Group>
        <Text className={classes['lines']} {...(marks.note === undefined && { c: 'dimmed' })}>
          {marks.note === undefined ? said.noNote : safeLines(marks.note)}
        </Text>
      </Stack>
    )
  const save = (): void => {
    note(pointName(point), draft.trim())
    setDraft(undefined)
  }
  return (
    <Stack gap="sm">
      <Textarea
        label={said.note}
        autosize
        minRows={2}
        maxRows={8}
        maxLength={LONGEST_NOTE}
        data-autofocus
        autoFocus
        value={draft}
        onChange={({ currentTarget }) => setDraft(currentTarget.value)}
      />
      <Group justify="flex-end" gap="sm">
        <Button variant="default" size="xs" onClick={() => setDraft(undefined)}>
          {said.cancel}
        </Button>
        <Button size="xs" onClick={save}>
          {said.saveNote}
        </Button>
      </Group>
    </Stack>
  )
}
