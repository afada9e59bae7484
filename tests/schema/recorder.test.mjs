import assert from 'node:assert/strict';
import test from 'node:test';
import { Judge, loadApi } from './recorder.mjs';

const judge = new Judge(loadApi());
const answer = (changes) => ({
  method: 'GET', target: '/api/v1/policy', status: 200, contentType: 'application/json', body: Buffer.from('{}'), ...changes,
});
const problem = Buffer.from('{"type":"about:blank","title":"x","status":404,"detail":"y"}');

test('finds the entry that an answer belongs to', () => {
  assert.equal(judge.templateOf('/api/v1/jobs/job-000001?x=1'), '/api/v1/jobs/{id}');
  assert.equal(judge.templateOf('/api/v1/jobs'), '/api/v1/jobs');
  assert.equal(judge.templateOf('/nowhere'), null);
});

test('what is not described is a violation', () => {
  assert.match(judge.judge(answer({ status: 299 })), /299 is not among/);
  assert.match(judge.judge(answer({ target: '/nowhere' })), /path that is not described/);
  assert.match(judge.judge(answer({ method: 'DELETE' })), /method that is not described/);
  assert.match(judge.judge(answer({ contentType: 'text/html' })), /kind text\/html/);
  assert.match(judge.judge(answer({ body: Buffer.from('no') })), /no JSON/);
  assert.match(judge.judge(answer({ target: '/api/v1/jobs' })), /required property/);
});

test('errors where nothing is described are told as problems', () => {
  assert.equal(judge.judge(answer({ target: '/nowhere', status: 404, contentType: 'application/problem+json', body: problem })), null);
  assert.match(judge.judge(answer({ target: '/nowhere', status: 404, contentType: 'text/html' })), /error of kind/);
});

test('what is described passes', () => {
  assert.equal(judge.judge(answer({ target: '/healthz', contentType: 'text/plain', body: Buffer.from('ok') })), null);
  assert.equal(judge.judge(answer({ status: 304, body: Buffer.alloc(0) })), null);
});
