"""What a row's summaries and its model are worth, example by example and in the mean.

In:  generations, references, bills; a row's model for its perplexity.
Out: ROUGE, BERTScore, facts, copying, repetition, likelihoods; means with intervals.
May import: base, jobs, corpus, models.
"""
