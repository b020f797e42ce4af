"""What every other package uses: errors that users see, files that appear whole, checks of numbers.

In:  paths, tensors, figures.
Out: the same, or an InputError that says what is wrong and what to do.
May import: nothing of this project.
"""
