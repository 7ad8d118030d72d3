import { Stack } from '@mantine/core'
import { knownZone } from '../../../shared/host-time.ts'
import { useWindow } from '../../state/store-context.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { useNow } from '../../ui/use-now.ts'
import { takenNames, zoneOf, type Editor } from './editor-view.ts'
import { standardAlarm } from './alarm-view.ts'
import { formWords } from './form-words.ts'
import { HowSection } from './how-section.tsx'
import { KeepSection } from './keep-section.tsx'
import { MoreSection } from './more-section.tsx'
import { NameSection } from './name-section.tsx'
import type { PolicyForm } from './policy-form.ts'
import { policyProblems } from './policy-problems.ts'
import { SaveBar } from './save-bar.tsx'
import { TellSection } from './tell-section.tsx'
import { VmsSection } from './vms-section.tsx'
import { WhenSection } from './when-section.tsx'

interface PolicyEditorProps {
  readonly editor: Editor
  readonly form: PolicyForm
}

/** One question after the other, all in sight; what they mean beside them. */
export function PolicyEditor({ editor, form }: PolicyEditorProps) {
  const policies = useWindow((state) => state.policies)
  const hosts = useWindow((state) => state.hosts)
  const edit = useWindow((state) => state.editSchedule)
  const now = useNow()
  const timeZone = knownZone(zoneOf(form.host, { policies, hosts }))
  const problems = policyProblems(form, takenNames(form.host, editor.id, policies))
  const onEdit = (change: Partial<PolicyForm>): void => edit(editor.key, { ...form, ...change })
  const part = { form, problems, onEdit }
  return (
    <>
      <PageHeader title={formWords.titles[editor.edit]} subtitle={formWords.subtitle} />
      <Stack gap="md">
        <NameSection {...part} isFixed={editor.edit === 'change'} />
        <VmsSection {...part} />
        <WhenSection {...part} timeZone={timeZone} />
        <KeepSection {...part} id={editor.id} timeZone={timeZone} />
        <HowSection {...part} />
        <TellSection {...part} />
        <MoreSection {...part} standard={standardAlarm(form.when, timeZone, now)} />
        <SaveBar editor={editor} form={form} problems={problems} />
      </Stack>
    </>
  )
}
