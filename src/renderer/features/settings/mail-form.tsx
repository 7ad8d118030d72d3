import { Group, PasswordInput, Radio, Stack, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { KnownHost } from './channel-dialog.tsx'
import { mailDraftOf, mailOf, withSecurity, type MailDraft } from './channel-draft.ts'
import { ChannelFormFrame } from './channel-form-frame.tsx'
import { words } from './channel-words.ts'
import classes from './channels.module.css'
import { useChannelForm, type ChannelForm } from './use-channel-form.ts'

interface MailFormProps {
  readonly hosts: readonly KnownHost[]
  /** Whose settings it begins with; undefined: those of the first that has some. */
  readonly first: string | undefined
}

export function MailForm({ hosts, first }: MailFormProps) {
  const known = hosts.find(({ host, channels }) => (first === undefined ? channels.mail : host === first))
  const form = useChannelForm({ hosts, first, begin: mailDraftOf(known?.channels.mail), read: mailOf })
  return (
    <ChannelFormFrame channel="mail" hosts={hosts} form={form}>
      <Server form={form} />
      <Security form={form} />
      <Login form={form} isSet={known?.channels.mail?.hasPassword === true} />
      <Addresses form={form} />
      <Authority form={form} />
    </ChannelFormFrame>
  )
}

interface PartProps {
  readonly form: ChannelForm<MailDraft>
}

const { dialog } = words

/** What a text field of the draft needs. */
const field = ({ draft, put, problems }: ChannelForm<MailDraft>, key: Exclude<keyof MailDraft, 'security'>) => ({
  value: draft[key],
  error: problems[key],
  autoComplete: 'off',
  spellCheck: false,
  onChange: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
    put({ [key]: currentTarget.value })
})

const Server = ({ form }: PartProps) => (
  <div className={classes['pair']}>
    <TextInput data-autofocus label={dialog.server} description={dialog.serverHint} {...field(form, 'server')} />
    <TextInput label={dialog.port} inputMode="numeric" {...field(form, 'port')} />
  </div>
)

function Security({ form: { draft, put } }: PartProps) {
  return (
    <Radio.Group
      label={dialog.security}
      value={draft.security}
      onChange={(security) => put(withSecurity(draft, security))}
    >
      <Stack gap="xs" mt="xs">
        {Object.entries(words.security).map(([value, { label, text }]) => (
          <Radio key={value} value={value} label={label} description={text} />
        ))}
      </Stack>
    </Radio.Group>
  )
}

const Login = ({ form, isSet }: PartProps & { readonly isSet: boolean }) => (
  <Group gap="md" align="flex-start" grow>
    <TextInput label={dialog.user} description={dialog.userHint} {...field(form, 'user')} />
    <PasswordInput
      label={dialog.password}
      description={isSet ? dialog.passwordSet : dialog.passwordHint}
      {...field(form, 'password')}
      autoComplete="new-password"
    />
  </Group>
)

const Addresses = ({ form }: PartProps) => (
  <>
    <TextInput label={dialog.from} description={dialog.fromHint} inputMode="email" {...field(form, 'from')} />
    <TextInput label={dialog.to} description={dialog.toHint} inputMode="email" {...field(form, 'to')} />
  </>
)

/** Folded away: few need it. */
function Authority({ form }: PartProps) {
  const [isOpen, setOpen] = useState(form.draft.ca !== '')
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className={classes['summary']}>{dialog.more}</summary>
      <Textarea label={dialog.ca} description={dialog.caHint} autosize minRows={3} maxRows={8} {...field(form, 'ca')} />
    </details>
  )
}
