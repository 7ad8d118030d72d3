import { Checkbox, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { safeText, shorten } from '../../../shared/safe-text.ts'
import type { VmView } from '../../../shared/views/host-view.ts'
import { formWords } from './form-words.ts'
import type { VmsForm } from './policy-form.ts'
import classes from './schedules.module.css'

interface ChooseVmsProps {
  readonly there: readonly VmView[]
  readonly chosen: VmsForm['chosen']
  readonly problem: string | undefined
  readonly onChange: (chosen: VmsForm['chosen']) => void
}

const said = formWords.vms
const MANY = 10

/** Ticks VMs of the host. One that was chosen and is not there now stays until it is taken out. */
export function ChooseVms({ there, chosen, problem, onChange }: ChooseVmsProps) {
  const [asked, ask] = useState('')
  const gone = chosen.filter(({ uuid }) => !there.some((vm) => vm.uuid === uuid))
  const all = [...there.map(({ uuid, name }) => ({ uuid, name })), ...gone]
  const found = all.filter(({ name }) => name.toLocaleLowerCase().includes(asked.trim().toLocaleLowerCase()))
  return (
    <>
      {all.length > MANY && (
        <TextInput label={said.find} value={asked} onChange={({ currentTarget }) => ask(currentTarget.value)} />
      )}
      <Checkbox.Group
        label={said.choose}
        description={said.chosen(chosen.length, all.length)}
        error={problem}
        value={chosen.map(({ uuid }) => uuid)}
        onChange={(uuids) => onChange(all.filter(({ uuid }) => uuids.includes(uuid)))}
      >
        <Stack gap="xs" my="xs" className={classes['choose']} tabIndex={-1}>
          {found.map(({ uuid, name }) => (
            <Checkbox
              key={uuid}
              value={uuid}
              label={shorten(safeText(name), 80)}
              {...(gone.some((vm) => vm.uuid === uuid) && { description: said.goneHere })}
            />
          ))}
        </Stack>
      </Checkbox.Group>
    </>
  )
}
