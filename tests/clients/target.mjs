// What the tests talk to, as the environment says. README.md tells the names.
const said = (name, otherwise) => process.env[name] || otherwise;

export const url = said('CLIENTS_URL');
export const model = said('CLIENTS_MODEL', 'qwen2-0.5b');
export const embeddingUrl = said('CLIENTS_EMBEDDING_URL', url);
export const embeddingModel = said('CLIENTS_EMBEDDING_MODEL', 'bge-base');
export const key = said('CLIENTS_KEY', 'no-key');
export const metricsUrl = said('CLIENTS_METRICS_URL');
export const faultsUrl = said('CLIENTS_FAULTS_URL');
export const headers = said('CLIENTS_HEADERS', '').split(',').filter(Boolean);
const lacks = new Set(said('CLIENTS_LACKS', '').split(',').filter(Boolean));

if (!url) throw new Error('CLIENTS_URL is not set: run tests/clients/test-engine, or see README.md');

// For test(name, needs('tools'), ...): skipped where the target cannot do that.
export const needs = (...parts) => {
  const missing = parts.filter((part) => lacks.has(part));
  if (missing.length) return {skip: `the target lacks ${missing.join(', ')}`};
  if (parts.includes('metrics') && !metricsUrl) return {skip: 'CLIENTS_METRICS_URL is not set'};
  if (parts.includes('faults') && !faultsUrl) return {skip: 'CLIENTS_FAULTS_URL is not set'};
  return {};
};

export const words = (text) => text.split(' ').length;

// The sum of a metric over its labels.
export const metric = async (name) => {
  const page = await (await fetch(metricsUrl)).text();
  const lines = page.split('\n').filter((line) => line.startsWith(name + '{') || line.startsWith(name + ' '));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
};

// Tries until it holds; only a hang meets the bound.
export const eventually = async (holds, what) => {
  for (let i = 0; i < 2000; ++i) {
    if (await holds()) return;
    await new Promise((resume) => setTimeout(resume, 10));
  }
  throw new Error(`never: ${what}`);
};

export const setFaults = async (faults) => {
  const got = await fetch(faultsUrl, {method: 'POST', body: JSON.stringify(faults)});
  if (!got.ok) throw new Error(`faults: ${got.status} ${await got.text()}`);
};

// Runs `body` with an engine that misbehaves, and mends it afterwards whatever happens.
export const withFaults = async (faults, body) => {
  await setFaults(faults);
  try {
    await body();
  } finally {
    await setFaults({});
  }
};

export const question = [
  {role: 'system', content: 'You are a lock keeper.'},
  {role: 'user', content: 'What does a spillway do when the river rises?'},
];
