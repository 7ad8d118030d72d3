import { Skeleton, Stack } from '@mantine/core'
import { useWindow } from '../../state/store-context.ts'
import { PageHeader } from '../../ui/page-header.tsx'
import { editorOf, type EditKind } from './editor-view.ts'
import { formWords } from './form-words.ts'
import { PolicyEditor } from './policy-editor.tsx'
import { words } from './words.ts'

interface EditorPageProps {
  readonly edit: EditKind
  readonly host: string | undefined
  readonly policy: string | undefined
}

/** The form of a schedule: a new one, one that is there, or another like it. */
export function EditorPage({ edit, host, policy }: EditorPageProps) {
  const policies = useWindow((state) => state.policies)
  const hosts = useWindow((state) => state.hosts)
  const choices = useWindow((state) => state.choices)
  const draft = useWindow((state) => state.scheduleDraft)
  const editor = editorOf({ edit, host, policy }, { policies, hosts, choices })
  if (editor === undefined) return <NotYet edit={edit} isLost={policies?.known === true && hosts !== undefined} />
  const form = draft?.of === editor.key ? draft.form : editor.form
  return <PolicyEditor key={editor.key} editor={editor} form={form} />
}

function NotYet({ edit, isLost }: { readonly edit: EditKind; readonly isLost: boolean }) {
  return (
    <>
      <PageHeader title={formWords.titles[edit]} {...(isLost && { subtitle: words.policy.unknownText })} />
      {!isLost && (
        <Stack gap="md" role="status" aria-busy aria-label={words.loading}>
          <Skeleton height={160} />
          <Skeleton height={240} />
        </Stack>
      )}
    </>
  )
}
