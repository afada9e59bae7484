// What the codes of a decision mean, in a few words. docs/glossary.md tells them in full.
export const CODES: Record<string, string> = {
  cpus: 'too few CPUs', memory: 'too little memory', devices: 'not the devices it needs', arch: 'another architecture',
  runtime: 'lacks the runtime', precision: 'lacks the precision', feature: 'lacks a feature',
  confidential: 'is not confidential', model: 'does not serve the model', site: 'another site',
  label: 'labels do not fit', tenant: 'not for this tenant', rule: 'the policy never sends this work there',
  down: 'is down', cordoned: 'is cordoned', draining: 'is draining', quota: 'over its quota',
  reserved: 'is reserved for others', unpriced: 'has no known price', too_dear: 'dearer than the work allows',
  too_late: 'would be too late', busy: 'is busy', outranked: 'comes later in the claim order',
  chosen: 'chosen', pinned: 'asked for by name', failed: 'every engine that was tried failed',
};
export const codeWords = (code: string) => CODES[code] ?? code.replaceAll('_', ' ');

export const KINDS: Record<string, string> = {cpu: 'CPU', gpu: 'GPU', npu: 'NPU'};
export const BILLING: Record<string, string> = {
  committed: 'paid for anyway', metered: 'rented by the hour', token: 'paid by the token', unpriced: 'price unknown',
};
export const BASIS: Record<string, string> = {
  observed: 'from the last runs', declared: 'as declared', profile: 'by a measured profile',
  roofline: 'by the roofline', assumed: 'assumed: nothing is known',
};
